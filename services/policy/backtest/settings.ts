export interface BacktestSettings {
  /** Events that are read at most; what was before the period has to be read as well, to know how it began. */
  readonly eventsMax: number
  readonly periodMaxMs: number
  readonly deadlineMs: number
  /** For how long the process may be kept from its other work at a time. */
  readonly sliceMs: number
  readonly pageEventsMax: number
  /** Entries of each list that is answered with. */
  readonly itemsMax: number
  /** What an answer may weigh; lists are cut further where it would be more. A bus takes messages of 1 MB. */
  readonly replyBytesMax: number
}

const dayMs = 86_400_000

/** The deadline is shorter than whoever asks waits, so that the answer says what to do. */
export const backtestDefaults: BacktestSettings = {
  eventsMax: 20_000_000,
  periodMaxMs: 366 * dayMs,
  deadlineMs: 45_000,
  sliceMs: 8,
  pageEventsMax: 1_000,
  itemsMax: 1_000,
  replyBytesMax: 900_000,
}
