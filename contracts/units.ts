import { z } from 'zod'

/** Ten years: longer than any rule of a fleet, and far from where arithmetic on milliseconds gets inexact. */
export const durationMaxMs = 10 * 365 * 86_400_000

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
type Unit = keyof typeof unitMs

const durationPattern = /^\d{1,15}(\.\d{1,3})?\s?(ms|s|m|h|d)?$/
const textMax = 20

/**
 * Milliseconds of a duration as people write it: `10s`, `5m`, `1.5h`; a bare number is milliseconds.
 * @returns whole milliseconds, or null when the text is not a duration.
 */
export function parseDuration(text: string): number | null {
  if (!durationPattern.test(text)) return null
  const unit = (/[a-z]+$/.exec(text)?.[0] ?? 'ms') as Unit
  return Math.round(Number.parseFloat(text) * unitMs[unit])
}

/**
 * The schema of a duration setting: takes milliseconds or text such as `10s`, gives milliseconds.
 * @param minMs the least that is accepted, 0 or more
 * @param maxMs the most that is accepted
 */
export const durationBetween = (minMs: number, maxMs: number) => {
  const message = `expected ${durationAccepted(minMs, maxMs)}`
  const milliseconds = z.int(message).min(minMs, message).max(maxMs, message)
  const text = z.string().max(textMax, message).regex(durationPattern, message)
  // A codec and not a transform, because rows that are sent out again pass the same schema backwards.
  return z.codec(z.union([milliseconds, text], message), milliseconds, {
    decode: (given) => (typeof given === 'number' ? given : (parseDuration(given) ?? Number.NaN)),
    encode: (given) => given,
  })
}

/** What a duration may be, for people. */
export const durationAccepted = (minMs: number, maxMs: number): string =>
  `milliseconds, or text such as 500ms, 10s, 5m, 2h, 30d; from ${minMs} to ${maxMs} ms`

export const duration = durationBetween(0, durationMaxMs)
