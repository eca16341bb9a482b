const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const

/**
 * A duration for people, in its two largest units: `2 h 10 min`, `41 min`, `12 s`, `40 ms`, `0 s`.
 * @param ms milliseconds; a negative one counts as nothing, what is no number is told as a dash
 */
export function duration(ms: number): string {
  if (!Number.isFinite(ms)) return '–'
  if (ms >= 1 && ms < 1_000) return `${Math.floor(ms)} ms`
  const at = units.findIndex(([, unitMs]) => ms >= unitMs)
  const [unit, unitMs] = units[at] ?? ['s', 1_000]
  const whole = Math.max(0, Math.floor(ms / unitMs))
  const smaller = units[at + 1]
  // Ten of a unit and more need no smaller one, and seconds never say more about minutes than one wants to know.
  if (at < 0 || smaller === undefined || whole >= 10) return `${whole} ${unit}`
  const rest = Math.floor((ms - whole * unitMs) / smaller[1])
  return rest === 0 ? `${whole} ${unit}` : `${whole} ${unit} ${rest} ${smaller[0]}`
}

/** How long ago an instant was, in one unit: `now`, `12 s`, `4 min`, `3 h`, `9 d`. */
export function since(instant: string, nowMs: number): string {
  const ms = nowMs - Date.parse(instant)
  if (Number.isNaN(ms)) return '–'
  if (ms < 1_000) return 'now'
  const [unit, unitMs] = units.find(([, size]) => ms >= size) ?? ['s', 1_000]
  return `${Math.floor(ms / unitMs)} ${unit}`
}

/** The same as a phrase: `just now`, `4 min ago`. */
export const ago = (instant: string, nowMs: number): string => {
  const text = since(instant, nowMs)
  return text === 'now' ? 'just now' : text === '–' ? text : `${text} ago`
}

const exactFormat = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium', hourCycle: 'h23' })
const timeFormat = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium', hourCycle: 'h23' })
const dayFormat = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' })

const withFormat = (format: Intl.DateTimeFormat) => (instant: string) => {
  const ms = Date.parse(instant)
  return Number.isNaN(ms) ? '–' : format.format(ms)
}

export const exactTime = withFormat(exactFormat)
export const clockTime = withFormat(timeFormat)
export const dayOf = withFormat(dayFormat)

/** A share from 0 to 1 as whole per cent, with a space that does not break. */
export const percent = (share: number): string => (Number.isFinite(share) ? `${Math.round(share * 100)}\u00a0%` : '–')

/** `1 machine`, `4 machines`. */
export const count = (many: number, noun: string): string =>
  `${many.toLocaleString('en')} ${noun}${many === 1 ? '' : 's'}`

/** `a`, `a and b`, `a, b and 3 more`. */
export function listed(names: readonly string[], shownMax = 3): string {
  if (names.length > shownMax) return `${names.slice(0, shownMax).join(', ')} and ${names.length - shownMax} more`
  const last = names.at(-1) ?? ''
  return names.length < 2 ? last : `${names.slice(0, -1).join(', ')} and ${last}`
}

const byteUnits = ['B', 'kB', 'MB', 'GB', 'TB']

/** Bytes in the largest unit that leaves a number of at least 1, in steps of 1024 as memory is sold. */
export function bytes(size: number): string {
  const step = Math.min(byteUnits.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, size)) / 10)))
  return `${(size / 1024 ** step).toFixed(step > 1 && size / 1024 ** step < 10 ? 1 : 0)} ${byteUnits[step]}`
}

/** `MachineBecameHealthy` as `Machine became healthy`. */
export function words(name: string): string {
  const text = name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replaceAll(/[-_]/g, ' ')
    .toLowerCase()
  return text.charAt(0).toUpperCase() + text.slice(1)
}

/** A name as an id: lower-case letters, digits and dashes, up to 63 of them. */
export const slugOf = (name: string): string =>
  name
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 63)
