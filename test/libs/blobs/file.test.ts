import { mkdtemp, open, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openFileBlobs } from '#libs/blobs/file.ts'
import { createVirtualClock } from '#test/support/virtualClock.ts'
import { chunksOf, conforms } from './conformance.ts'

async function home() {
  const folder = await mkdtemp(join(tmpdir(), 'remuda-blobs-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const clock = createVirtualClock()
  const blobs = await openFileBlobs(folder, clock)
  return {
    folder,
    clock,
    blobs,
    async damage(digest: string) {
      await using file = await open(join(folder, digest), 'r+')
      await file.write(Buffer.from([0xff]), 0, 1, 5_000)
    },
    lose: (digest: string) => rm(join(folder, digest)),
  }
}

conforms('file', home)

describe('blobs in files', () => {
  it('are swept of what an upload has left that was killed', async () => {
    const { folder, clock, blobs } = await home()
    const left = join(folder, 'incoming', 'left')
    await writeFile(left, 'half')
    const at = new Date(clock.wallMs())
    await utimes(left, at, at)
    expect(await blobs.sweepUploads(60_000)).toBe(0)
    await clock.advance(61_000)
    expect(await blobs.sweepUploads(60_000)).toBe(1)
    expect(await readdir(join(folder, 'incoming'))).toEqual([])
  })
  it('are shared by processes: what one puts, another opens', async () => {
    const { folder, clock, blobs } = await home()
    const other = await openFileBlobs(folder, clock)
    const { digest } = await blobs.put(chunksOf(Buffer.from('abc')), { bytesMax: 3 })
    expect(await other.open(digest)).toMatchObject({ sizeBytes: 3 })
  })
})
