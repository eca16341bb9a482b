import { formatDuration } from '#libs/units.ts'

/**
 * A document in which durations stand as people write them, such as `5m`. The API reads both. What a step gives for the
 * parameters of its template stays as it is: they may be called anything.
 */
export function withSpokenDurations(value: unknown, name = ''): unknown {
  if (Array.isArray(value)) return value.map((one) => withSpokenDurations(one))
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [key, key === 'with' ? inner : withSpokenDurations(inner, key)]),
    )
  }
  return typeof value === 'number' && name.endsWith('Ms') ? formatDuration(value) : value
}
