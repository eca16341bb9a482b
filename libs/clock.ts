/**
 * The only door to time, chance and ids. Everything else in the tree asks this port, so that the whole control
 * plane can run in a simulation whose clock and dice are seeded.
 */
export interface Clock {
  /** Wall clock, milliseconds since 1970. Only ever recorded or shown; no deadline is computed from it. */
  wallMs(): number
  /**
   * The wall clock of the moment this process started plus the monotonic time since then. Steps of the wall clock do
   * not move it, so every lease, timeout and observed duration is computed from it. Whole milliseconds.
   */
  steadyMs(): number
  /** Calls `run` once after `delayMs`; a cancelled timer never calls. */
  timer(delayMs: number, run: () => void): Timer
  /** Resolves after `delayMs`, or at once when the signal aborts: look at the signal afterwards. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>
  /** A fresh time-ordered UUID (version 7). Order by position, never by id. */
  id(): string
  /** A number in [0, 1). */
  chance(): number
  /** Bytes fit for secrets and nonces. */
  bytes(count: number): Uint8Array
}

export interface Timer {
  cancel(): void
}
