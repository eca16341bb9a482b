import type { Clock } from '#libs/clock.ts'
import type { DownloadLimits } from './limits.ts'

/** What a package has to be. */
export interface Wanted {
  readonly digest: string
  /** null: only the digest is known beforehand. */
  readonly sizeBytes: number | null
}

export interface DownloadOptions {
  readonly clock: Clock
  readonly limits: DownloadLimits
  readonly signal: AbortSignal
}
