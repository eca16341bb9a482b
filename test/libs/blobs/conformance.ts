import { createHash } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import type { Blobs } from '#libs/blobs/blobs.ts'
import type { VirtualClock } from '#test/support/virtualClock.ts'

/** A blob store of the test, and its hands on the bytes behind it. */
export interface BlobHome {
  readonly blobs: Blobs
  readonly clock: Pick<VirtualClock, 'advance'>
  /** Flips a bit of what is kept. */
  damage(digest: string): Promise<void>
  /** Takes away what is kept, behind its back. */
  lose(digest: string): Promise<void>
}

const bytesMax = 1_000_000
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
export async function* chunksOf(bytes: Uint8Array, size = 1_000) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

/** What every blob store must do, whatever it is made of. */
export function conforms(kind: string, createHome: () => Promise<BlobHome>): void {
  describe(`the ${kind} blobs`, () => {
    const bytes = Buffer.from(Array.from({ length: 10_000 }, (_, at) => at % 251))
    const digest = sha256(bytes)
    const put = ({ blobs }: BlobHome, content: Uint8Array = bytes) => blobs.put(chunksOf(content), { bytesMax })
    const read = async ({ blobs }: BlobHome, start?: number, end?: number) => {
      const opened = await blobs.open(digest)
      return typeof opened === 'string' ? opened : buffer(opened.read(start, end))
    }

    it('keep bytes under their digest and give them back, whole or in part', async () => {
      const home = await createHome()
      expect(await put(home)).toEqual({ digest, sizeBytes: 10_000 })
      expect(await read(home)).toEqual(bytes)
      expect(await read(home, 10, 19)).toEqual(bytes.subarray(10, 20))
      expect(await read(home, 9_999)).toEqual(bytes.subarray(9_999))
      expect(await home.blobs.open(sha256(Buffer.from('other')))).toBe('missing')
    })
    it('keep no bytes at all as well', async () => {
      const home = await createHome()
      const none = await put(home, Buffer.alloc(0))
      const opened = await home.blobs.open(none.digest)
      expect(typeof opened === 'string' ? opened : await buffer(opened.read())).toEqual(Buffer.alloc(0))
    })
    it('keep the same bytes once, also when many put them at once', async () => {
      const home = await createHome()
      const all = await Promise.all(Array.from({ length: 8 }, () => put(home)))
      expect(new Set(all.map((stored) => stored.digest))).toEqual(new Set([digest]))
      expect(await home.blobs.list()).toMatchObject([{ digest, sizeBytes: 10_000 }])
    })
    it('keep nothing of what is too large, does not please, or breaks off', async () => {
      const home = await createHome()
      const { blobs } = home
      await expect(blobs.put(chunksOf(bytes), { bytesMax: 9_999 })).rejects.toMatchObject({ reason: 'too-large' })
      const inspect = (head: Uint8Array) => {
        expect(head.length).toBeGreaterThanOrEqual(512)
        throw new Error('not this')
      }
      await expect(blobs.put(chunksOf(bytes, 100), { bytesMax, inspect })).rejects.toThrow('not this')
      async function* broken() {
        yield bytes
        throw new Error('cut off')
      }
      await expect(blobs.put(broken(), { bytesMax })).rejects.toThrow('cut off')
      expect(await blobs.list()).toEqual([])
      expect(await blobs.sweepUploads(0)).toBe(0)
    })
    it('see that bytes are damaged or missing, before and after they were read, and are healed by the same bytes', async () => {
      const home = await createHome()
      await put(home)
      expect(await read(home)).toEqual(bytes)
      await home.damage(digest)
      expect(await read(home)).toBe('corrupt')
      await put(home)
      expect(await read(home)).toEqual(bytes)
      await home.lose(digest)
      expect(await read(home)).toBe('missing')
      await put(home)
      expect(await read(home)).toEqual(bytes)
    })
    it('remove what was not put again in a while', async () => {
      const home = await createHome()
      await put(home)
      await home.clock.advance(60_000)
      await put(home)
      expect(await home.blobs.remove(digest, 30_000)).toBe(false)
      expect(await read(home)).toEqual(bytes)
      await home.clock.advance(31_000)
      expect((await home.blobs.list())[0]!.ageMs).toBeGreaterThanOrEqual(30_000)
      expect(await home.blobs.remove(digest, 30_000)).toBe(true)
      expect(await read(home)).toBe('missing')
      expect(await home.blobs.remove(digest, 30_000)).toBe(true)
    })
    it('take no name that is no digest', async () => {
      const { blobs } = await createHome()
      for (const name of ['../secret', '', 'A'.repeat(64), `${digest}/x`])
        await expect(blobs.open(name)).rejects.toThrow(RangeError)
    })
  })
}
