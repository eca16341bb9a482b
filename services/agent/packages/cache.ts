import { mkdir, readdir, rm, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { digestOf } from '#libs/blobs/verifier.ts'
import { download } from './download.ts'
import type { CacheLimits } from './limits.ts'
import type { PackageSource } from './source.ts'
import type { DownloadOptions, Wanted } from './wanted.ts'

const folderMode = 0o700
const digestPattern = /^[0-9a-f]{64}$/
const ofDownload = /^([0-9a-f]{64})\.partial(\.tag)?$/
/** How long what there is of a package is kept for a download that goes on. */
const partialKeptMs = 24 * 3_600_000

interface Fetching {
  /** Whether it was here. */
  readonly done: Promise<boolean>
  readonly end: AbortController
  waiting: number
}

export interface CacheOptions extends Omit<DownloadOptions, 'signal'> {
  readonly folder: string
  readonly cacheLimits: CacheLimits
  /** Whether a package is so much in use that it stays, however long ago it was asked for. */
  readonly isKept: (digest: string) => Promise<boolean>
}

/** The archives that this machine has downloaded, by their digests: each once, however many tasks ask for it at once. */
export class PackageCache {
  readonly #options: CacheOptions
  readonly #fetching = new Map<string, Fetching>()
  /** What is being read, and so must not go. */
  readonly #inUse = new Map<string, number>()

  constructor(options: CacheOptions) {
    this.#options = options
  }

  /**
   * Hands out the file with a package, which stays at least until `use` has ended.
   * @throws PackageFault, or why the signal was aborted
   */
  async use<Result>(
    source: PackageSource,
    wanted: Wanted,
    signal: AbortSignal,
    use: (path: string, wasHere: boolean) => Promise<Result>,
  ): Promise<Result> {
    const { digest } = wanted
    this.#inUse.set(digest, (this.#inUse.get(digest) ?? 0) + 1)
    try {
      const wasHere = await this.#fetchTogether(source, wanted, signal)
      return await use(this.#pathOf(digest), wasHere)
    } finally {
      const users = this.#inUse.get(digest)! - 1
      if (users === 0) this.#inUse.delete(digest)
      else this.#inUse.set(digest, users)
    }
  }

  /** Lets go of what was not asked for longest, until the rest is no more than may be. */
  async evict(): Promise<void> {
    const { folder, clock, cacheLimits } = this.#options
    const kept: { readonly digest: string; readonly bytes: number; readonly usedMs: number }[] = []
    for (const name of await readdir(folder).catch(() => [])) {
      const found = await stat(join(folder, name)).catch(() => null)
      if (found === null) continue
      const [, partOf] = ofDownload.exec(name) ?? []
      const isStale = clock.wallMs() - found.mtimeMs > partialKeptMs && !this.#inUse.has(partOf ?? '')
      if (partOf !== undefined && isStale) await rm(join(folder, name), { force: true })
      if (digestPattern.test(name)) kept.push({ digest: name, bytes: found.size, usedMs: found.mtimeMs })
    }
    let bytes = kept.reduce((sum, file) => sum + file.bytes, 0)
    let count = kept.length
    for (const file of kept.sort((a, b) => a.usedMs - b.usedMs)) {
      if (bytes <= cacheLimits.cachedBytesMax && count <= cacheLimits.cachedMax) return
      if (this.#inUse.has(file.digest) || (await this.#options.isKept(file.digest))) continue
      await rm(this.#pathOf(file.digest), { force: true })
      bytes -= file.bytes
      count -= 1
    }
  }

  /** Whether the package is here and sound. One that is not is let go. */
  async #has(digest: string): Promise<boolean> {
    const path = this.#pathOf(digest)
    const now = new Date(this.#options.clock.wallMs())
    const isThere = await utimes(path, now, now).then(
      () => true,
      () => false,
    )
    if (!isThere) return false
    if ((await digestOf(path)) === digest) return true
    await rm(path, { force: true })
    return false
  }

  /** Joins a download that is under way, or begins it. It ends early only when nobody waits for it any more. */
  async #fetchTogether(source: PackageSource, wanted: Wanted, signal: AbortSignal): Promise<boolean> {
    const { digest } = wanted
    // One that is ending because nobody wanted it is not joined but waited for.
    for (let ending = this.#fetching.get(digest); ending?.end.signal.aborted; ending = this.#fetching.get(digest))
      await ending.done.catch(() => {})
    signal.throwIfAborted()
    const fetching = this.#fetching.get(digest) ?? this.#begin(source, wanted)
    fetching.waiting += 1
    const left = Promise.withResolvers<never>()
    const leave = () => left.reject(signal.reason as Error)
    signal.addEventListener('abort', leave, { once: true })
    try {
      return await Promise.race([fetching.done, left.promise])
    } finally {
      signal.removeEventListener('abort', leave)
      fetching.waiting -= 1
      if (fetching.waiting === 0) fetching.end.abort(signal.reason)
    }
  }

  #begin(source: PackageSource, wanted: Wanted): Fetching {
    const { folder, clock, limits } = this.#options
    const { digest } = wanted
    const end = new AbortController()
    const fetch = async () => {
      try {
        if (await this.#has(digest)) return true
        await mkdir(folder, { recursive: true, mode: folderMode })
        await download(source, wanted, this.#pathOf(digest), { clock, limits, signal: end.signal })
        return false
      } finally {
        this.#fetching.delete(digest)
      }
    }
    const fetching: Fetching = { done: fetch(), end, waiting: 0 }
    this.#fetching.set(digest, fetching)
    return fetching
  }

  #pathOf(digest: string): string {
    return join(this.#options.folder, digest)
  }
}
