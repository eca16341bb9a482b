import type { BacktestReply, Caveat, Outcome } from '#contracts/backtest.ts'
import { duration, exactTime } from '../format.ts'

/** An instant in milliseconds since 1970 as ISO 8601. */
export const iso = (ms: number): string => new Date(ms).toISOString()
export const exactly = (ms: number): string => exactTime(iso(ms))

const caveats: Readonly<Record<Caveat, string>> = {
  'health-as-recorded':
    'Who was late or unavailable is taken as it was recorded: other thresholds of health cannot be tried afterwards.',
  'provider-not-asked': 'What another provider would have said is not known, so it is not counted.',
  'lists-cut': 'The lists are cut; the counts are whole.',
}
export const caveatWords = (caveat: Caveat): string => caveats[caveat]

const rules: Readonly<Record<Outcome['removed']['items'][number]['rule'], string>> = {
  unavailable: 'silent for too long',
  'not-contactable': 'a deployment could not contact it',
  terminated: 'its provider says that it is terminated',
}

/** Why a machine would be removed, and whether it had better been kept. */
export function removedWords({ rule, observedMs, returnedAfterMs }: Outcome['removed']['items'][number]): string {
  const back = returnedAfterMs === null ? '' : `; it came back ${duration(returnedAfterMs)} later`
  return `${rules[rule]}, observed ${duration(observedMs)}${back}`
}

const endings = {
  recovery: 'it answered',
  person: 'a person let it go',
  rate: 'the rate let it go',
  removed: 'removed',
}

/** How a removal that was held back or waited ended: `until 12:04, it answered`. */
export const endingWords = ({ until, how }: Pick<Outcome['withheld']['items'][number], 'until' | 'how'>): string =>
  until === null ? 'still so at the end' : `until ${exactly(until)}${how === null ? '' : `, ${endings[how]}`}`

/** How much later, or earlier, the proposed policy removes a machine. */
export function shiftWords(differenceMs: number): string {
  if (differenceMs === 0) return 'at the same time'
  return `${duration(Math.abs(differenceMs))} ${differenceMs > 0 ? 'later' : 'earlier'}`
}

type Counts = readonly (readonly [what: string, actual: number, proposed: number])[]

/** What the two policies did, side by side. */
export const countsOf = ({ actual, proposed }: Pick<BacktestReply, 'actual' | 'proposed'>): Counts => [
  ['Removed', actual.removed.count, proposed.removed.count],
  ['Of those, back within the hour', actual.returnedWithinHour, proposed.returnedWithinHour],
  ['Held back by the guard', actual.withheld.count, proposed.withheld.count],
  ['Waited for another reason', actual.deferred.count, proposed.deferred.count],
  ['Mass failures', actual.incidents.count, proposed.incidents.count],
]
