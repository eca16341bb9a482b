import type { Clock } from '#libs/clock.ts'

/**
 * The epoch of a store that was just restored. A mere count would come to the same number again when one backup is
 * restored twice; the wall clock, in seconds, does not.
 */
export const nextEpoch = (epoch: number, clock: Clock): number =>
  Math.max(epoch + 1, Math.floor(clock.wallMs() / 1_000))
