import { Cron } from 'croner'

/** A time that begins whenever the cron rule says so, by the clocks of the time zone, and lasts so long. */
export interface QuietRule {
  readonly cron: string
  readonly forMs: number
  readonly timeZone: string
}

interface Span {
  readonly isQuiet: boolean
  readonly fromMs: number
  /** When this changes, or is to be looked at again. */
  readonly untilMs: number
}

const secondMs = 1_000
const dayMs = 86_400_000
/** How far ahead is looked for the end of a quiet time: it is only looked at again sooner if it lasts longer. */
const aheadMs = 8 * dayMs
const yearMs = 400 * dayMs
/** A quiet time that is put together from more pieces than this is taken to have no end. */
const piecesMax = 4_000
/** Where the search begins that asks whether rules ever leave a gap: any year will do, and the answer is always the same. */
const someMomentMs = Date.UTC(2026, 0, 1)

const cronOf = ({ cron, timeZone }: QuietRule): Cron =>
  new Cron(cron, { paused: true, mode: '5-part', timezone: timeZone })

const known = new WeakMap<QuietRule, Cron>()
function patternOf(rule: QuietRule): Cron {
  const pattern = known.get(rule) ?? cronOf(rule)
  known.set(rule, pattern)
  return pattern
}

/** Whether one of the rules asks for quiet at this moment of the wall clock. */
export const isQuiet = (rules: readonly QuietRule[], wallMs: number): boolean =>
  rules.some((rule) => {
    const begins = patternOf(rule).nextRun(new Date(wallMs - rule.forMs))
    return begins !== null && begins.getTime() <= wallMs
  })

const spans = new WeakMap<readonly QuietRule[], Span>()

/** The same as `isQuiet`, with when it changes. Remembered until then, so that asking again costs nothing. */
export function quietAt(rules: readonly QuietRule[], wallMs: number): Span {
  const last = spans.get(rules)
  if (last !== undefined && last.fromMs <= wallMs && wallMs < last.untilMs) return last
  const quiet = isQuiet(rules, wallMs)
  const untilMs = quiet ? (quietUntil(rules, wallMs, aheadMs) ?? wallMs + aheadMs) : nextBegin(rules, wallMs)
  const span = { isQuiet: quiet, fromMs: wallMs, untilMs }
  spans.set(rules, span)
  return span
}

/** Whether the rules never leave a moment that is not quiet, as far as a year can tell. */
export const isAlwaysQuiet = (rules: readonly QuietRule[]): boolean =>
  isQuiet(rules, someMomentMs) && quietUntil(rules, someMomentMs, yearMs) === null

/** What is wrong with a cron rule or its time zone, in words; null when it can be used. */
export function cronFault(cron: string, timeZone: string): string | null {
  try {
    const pattern = cronOf({ cron, timeZone, forMs: 0 })
    if (pattern.nextRun(new Date(someMomentMs)) === null) return `${cron} names no moment that ever comes`
    return null
  } catch (error) {
    if (!isTimeZone(timeZone)) return `there is no time zone ${timeZone}; one is named like Europe/Berlin`
    return `${cron} is no cron rule: ${error instanceof Error ? error.message : String(error)}`
  }
}

function isTimeZone(timeZone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

const nextBegin = (rules: readonly QuietRule[], wallMs: number): number =>
  Math.min(wallMs + aheadMs, ...rules.flatMap((rule) => patternOf(rule).nextRun(new Date(wallMs))?.getTime() ?? []))

/** When a quiet time ends, which may be put together from many that overlap; null when that is too far ahead. */
function quietUntil(rules: readonly QuietRule[], wallMs: number, limitMs: number): number | null {
  let untilMs = wallMs
  for (let pieces = 0; pieces < piecesMax && untilMs < wallMs + limitMs; pieces++) {
    const reaching = Math.max(...rules.map((rule) => reach(rule, untilMs)))
    if (reaching <= untilMs) return untilMs
    untilMs = reaching
  }
  return null
}

/** Until when the latest quiet time lasts that has begun by then. */
function reach(rule: QuietRule, atMs: number): number {
  // The moment itself is not included, and moments are whole seconds.
  const [last] = patternOf(rule).previousRuns(1, new Date(atMs + secondMs))
  return last === undefined ? atMs : last.getTime() + rule.forMs
}
