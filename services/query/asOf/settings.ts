const mebibyte = 1_024 * 1_024

/** What looking into the past may cost this process. */
export interface AsOfSettings {
  /** Moments of the past that are kept at hand; the one that was asked for longest ago goes first. */
  readonly modelsMax: number
  /** What all of them together may hold; one that is larger by itself is refused as ASOF_TOO_FAR. */
  readonly bytesMax: number
  /** Moments that may be looked up at once; more are refused as ASOF_BUSY. */
  readonly buildsMax: number
  /** Events that may lie before such a moment; with more it is refused as ASOF_TOO_FAR. */
  readonly eventsMax: number
  /** How long looking a moment up may take before it is given up as ASOF_TOO_FAR. */
  readonly buildMs: number
  /** How long a request waits for it. Then it is answered ASOF_BUSY, and finds it ready when it comes again. */
  readonly waitMs: number
  /** Events that are folded at a stretch; between two stretches others have their turn. */
  readonly stretchEvents: number
}

export const asOfDefaults: AsOfSettings = {
  modelsMax: 4,
  bytesMax: 512 * mebibyte,
  buildsMax: 2,
  eventsMax: 5_000_000,
  buildMs: 120_000,
  waitMs: 20_000,
  stretchEvents: 1_000,
}
