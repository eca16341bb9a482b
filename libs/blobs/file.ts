import { createReadStream, type Stats } from 'node:fs'
import { mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../clock.ts'
import { syncFolder } from '../syncFolder.ts'
import type { Blobs, ListedBlob, OpenBlob, PutOptions, StoredBlob } from './blobs.ts'
import { receive } from './receive.ts'
import { statOf, Verifier } from './verifier.ts'

const folderMode = 0o700
const digestPattern = /^[0-9a-f]{64}$/

/**
 * Blobs as files of a folder, each called by its digest. Several processes may share the folder: each file appears
 * whole, by a rename, and never changes.
 */
export async function openFileBlobs(folder: string, clock: Clock): Promise<Blobs> {
  const uploads = join(folder, 'incoming')
  await mkdir(uploads, { recursive: true, mode: folderMode })
  return new FileBlobs(folder, uploads, clock)
}

class FileBlobs implements Blobs {
  readonly #folder: string
  /** What is not whole yet, or about to go: beside the blobs, so that a rename is enough. */
  readonly #uploads: string
  readonly #clock: Clock
  readonly #verifier = new Verifier()

  constructor(folder: string, uploads: string, clock: Clock) {
    this.#folder = folder
    this.#uploads = uploads
    this.#clock = clock
  }

  async put(source: AsyncIterable<Uint8Array>, options: PutOptions): Promise<StoredBlob> {
    const beside = join(this.#uploads, this.#clock.id())
    try {
      const stored = await receive(source, beside, options)
      const path = this.#pathOf(stored.digest)
      if (await this.#keepKnown(path, stored.digest)) return stored
      await rename(beside, path)
      await syncFolder(this.#folder)
      return stored
    } finally {
      await rm(beside, { force: true })
    }
  }

  async open(digest: string): Promise<OpenBlob | 'missing' | 'corrupt'> {
    const path = this.#pathOf(digest)
    const verdict = await this.#verifier.verify(path, digest)
    return typeof verdict === 'string' ? verdict : openedAt(path, digest, verdict.size)
  }

  async list(): Promise<readonly ListedBlob[]> {
    const listed: ListedBlob[] = []
    for (const digest of (await readdir(this.#folder)).filter((name) => digestPattern.test(name))) {
      const found = await statOf(join(this.#folder, digest))
      if (found) listed.push({ digest, sizeBytes: found.size, ageMs: this.#ageMs(found) })
    }
    return listed
  }

  async remove(digest: string, unlessWithinMs: number): Promise<boolean> {
    const path = this.#pathOf(digest)
    // Out of the way first and looked at then: whoever puts it in between finds it gone and brings its own.
    const aside = join(this.#uploads, `${digest}.${this.#clock.id()}`)
    try {
      await rename(path, aside)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true
      throw error
    }
    if (this.#ageMs(await stat(aside)) < unlessWithinMs) {
      await rename(aside, path)
      return false
    }
    await rm(aside)
    return true
  }

  async sweepUploads(olderThanMs: number): Promise<number> {
    let swept = 0
    for (const name of await readdir(this.#uploads)) {
      const path = join(this.#uploads, name)
      const found = await statOf(path)
      if (!found || this.#ageMs(found) < olderThanMs) continue
      await rm(path, { force: true })
      swept += 1
    }
    return swept
  }

  /** Whether these bytes are kept already and sound; then they are marked as put just now. */
  async #keepKnown(path: string, digest: string): Promise<boolean> {
    const now = new Date(this.#clock.wallMs())
    // Marked before they are read, so that nobody sweeps them away meanwhile.
    const isMarked = await utimes(path, now, now).then(
      () => true,
      () => false,
    )
    return isMarked && typeof (await this.#verifier.verify(path, digest)) !== 'string'
  }

  /** By the wall clock, since files outlive the process; where it has been set back, nothing is old. */
  #ageMs({ mtimeMs }: Stats): number {
    return Math.max(0, this.#clock.wallMs() - mtimeMs)
  }

  #pathOf(digest: string): string {
    if (!digestPattern.test(digest)) throw new RangeError(`'${digest}' is no digest`)
    return join(this.#folder, digest)
  }
}

const openedAt = (path: string, digest: string, sizeBytes: number): OpenBlob => ({
  digest,
  sizeBytes,
  read: (start = 0, end = Math.max(start, sizeBytes - 1)) => createReadStream(path, { start, end }),
})
