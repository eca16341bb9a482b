import { InvalidArgumentError } from 'commander'
import { parseDuration } from '#contracts/units.ts'

/** Milliseconds of a duration on the command line, such as 30s. */
export function durationMs(text: string): number {
  const parsed = parseDuration(text)
  if (parsed === null) throw new InvalidArgumentError('Expected a duration such as 500ms, 30s, 5m, 2h, 7d.')
  return parsed
}

/** A whole number within limits. */
export const whole =
  (min: number, max: number) =>
  (text: string): number => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
    if (value >= min && value <= max) return value
    throw new InvalidArgumentError(`Expected a whole number from ${min} to ${max}.`)
  }

/** For options that may be given several times, each with one or several values between commas. */
export const many = (text: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  ...text.split(',').flatMap((one) => (one.trim() === '' ? [] : [one.trim()])),
]
