import type { PinnedPackage } from '#contracts/steps/package.ts'
import type { Cell } from './table.ts'
import type { Style } from './terminal.ts'

const styles: Readonly<Record<string, Style>> = {
  healthy: 'green',
  succeeded: 'green',
  degraded: 'yellow',
  waiting: 'yellow',
  lost: 'yellow',
  excluded: 'yellow',
  unhealthy: 'red',
  unavailable: 'red',
  failed: 'red',
  running: 'cyan',
  dispatched: 'cyan',
  cancelled: 'dim',
  queued: 'dim',
  pending: 'dim',
  skipped: 'dim',
  unknown: 'dim',
  removed: 'dim',
  disabled: 'dim',
}

/** A state in the colour that says whether anybody has to do something. */
export const state = (text: string): Cell => {
  const style = styles[text]
  return style === undefined ? text : { text, style }
}

/** What shows that there is nothing, which is not the same as an empty word. */
export const nothing = '-'

export const listed = (words: readonly string[]): string => (words.length === 0 ? nothing : words.join(', '))

/** Counts as people say them: `12 healthy, 1 unavailable`. */
export const counted = (counts: Readonly<Record<string, number>>): string =>
  listed(Object.entries(counts).flatMap(([name, count]) => (count === 0 ? [] : [`${count} ${name}`])))

/** Enough of a digest to tell versions apart by. */
const digestChars = 12
export const shortPackage = ({ name, version, digest }: PinnedPackage): string =>
  `${name} ${version} (${digest.slice(0, digestChars)})`

export const share = (part: number): string => `${Math.round(part * 1_000) / 10} %`
