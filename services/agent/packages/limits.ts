const mebibyte = 1_024 ** 2
const gibibyte = 1_024 ** 3

/** How much may come out of an archive. */
export interface UnpackLimits {
  readonly entriesMax: number
  readonly unpackedBytesMax: number
  readonly fileBytesMax: number
  /** What comes out may be so many times what went in; less than `ratioFreeBytes` may always come out. */
  readonly ratioMax: number
  readonly ratioFreeBytes: number
  readonly pathBytesMax: number
  readonly partBytesMax: number
  readonly depthMax: number
}

export interface DownloadLimits {
  readonly bytesMax: number
  /** How long a download may take, with all its tries. */
  readonly downloadMs: number
  /** How long it may bring nothing. */
  readonly stallMs: number
  /** Tries in a row that bring nothing. */
  readonly attemptsMax: number
  readonly redirectsMax: number
}

export interface CacheLimits {
  readonly cachedBytesMax: number
  readonly cachedMax: number
}

export const unpackDefaults: UnpackLimits = {
  entriesMax: 50_000,
  unpackedBytesMax: 4 * gibibyte,
  fileBytesMax: 2 * gibibyte,
  ratioMax: 100,
  ratioFreeBytes: 16 * mebibyte,
  pathBytesMax: 1_024,
  partBytesMax: 255,
  depthMax: 32,
}

export const downloadDefaults: DownloadLimits = {
  bytesMax: gibibyte,
  downloadMs: 15 * 60_000,
  stallMs: 30_000,
  attemptsMax: 5,
  redirectsMax: 5,
}

export const cacheDefaults: CacheLimits = { cachedBytesMax: 4 * gibibyte, cachedMax: 20 }
