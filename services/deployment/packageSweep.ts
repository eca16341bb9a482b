import type { Message, Recorded } from '#contracts/message.ts'
import type { PackageEvent } from '#contracts/package.ts'
import type { Blobs } from '#libs/blobs/blobs.ts'
import type { Platform } from '#libs/platform.ts'

export interface PackageSweepOptions extends Pick<Platform, 'clock' | 'log'> {
  readonly blobs: Blobs
  /** Bytes that no package has are kept this long: the package may still be on its way to being recorded. */
  readonly orphanGraceMs: number
  readonly sweepEveryMs: number
}

/**
 * Removes bytes that no package has: uploads that a crash cut off between the bytes and the event, and packages that
 * were given up. Which packages there are follows from the events, so nothing is swept before all have been read.
 */
export class PackageSweep {
  readonly #options: PackageSweepOptions
  /** The versions that have the bytes, by their digest. */
  readonly #versions = new Map<string, Set<string>>()

  constructor(options: PackageSweepOptions) {
    this.#options = options
  }

  follow(events: readonly Recorded[]): void {
    for (const event of events) if (isPackageEvent(event)) this.#apply(event)
  }

  /** Sweeps now, and from time to time until what it returns is called. To be called when all events have been read. */
  start(): () => Promise<void> {
    const { clock, log, sweepEveryMs } = this.#options
    const stop = new AbortController()
    const sweepOn = async () => {
      while (!stop.signal.aborted) {
        await this.sweep().catch((error: unknown) => log.warn({ error }, 'packages could not be swept'))
        await clock.sleep(sweepEveryMs, stop.signal)
      }
    }
    const swept = sweepOn()
    return async () => {
      stop.abort()
      await swept
    }
  }

  async sweep(): Promise<void> {
    const { blobs, log, orphanGraceMs } = this.#options
    const uploads = await blobs.sweepUploads(orphanGraceMs)
    let removed = 0
    for (const { digest, ageMs } of await blobs.list()) {
      // Looked up for each anew: meanwhile more may have been uploaded.
      if (ageMs < orphanGraceMs || this.#versions.has(digest)) continue
      if (await blobs.remove(digest, orphanGraceMs)) removed += 1
    }
    if (uploads + removed > 0) log.info({ uploads, removed }, 'bytes were swept that no package has')
  }

  #apply({ type, data }: PackageEvent): void {
    const { name, version, digest } = data
    const versions = this.#versions.get(digest) ?? new Set()
    if (type === 'PackageUploaded') versions.add(`${name}@${version}`)
    else versions.delete(`${name}@${version}`)
    if (versions.size === 0) this.#versions.delete(digest)
    else this.#versions.set(digest, versions)
  }
}

const isPackageEvent = (event: Message): event is PackageEvent =>
  event.type === 'PackageUploaded' || event.type === 'PackageRemoved'
