import type { EventRow } from '#contracts/eventRow.ts'
import type { Context } from '../context.ts'
import { when } from '../time.ts'
import type { Column } from '../table.ts'
import { harmless } from '../terminal.ts'

const wordsMax = 8
const wordCharsMax = 60

/** What an event says beyond its type, in a line: its fields, the long ones by their size. */
export function gist(data: unknown): string {
  if (typeof data !== 'object' || data === null) return String(data)
  const words = Object.entries(data).flatMap(([name, value]) => (value === null ? [] : [`${name}=${brief(value)}`]))
  return words.slice(0, wordsMax).join(' ') + (words.length > wordsMax ? ' …' : '')
}

function brief(value: unknown): string {
  if (Array.isArray(value)) {
    const flat = value.every((one) => typeof one === 'string') ? value.join(',') : ''
    return flat !== '' && flat.length <= wordCharsMax ? flat : `(${value.length})`
  }
  if (typeof value === 'object' && value !== null) return 'kind' in value ? String(value.kind) : '{…}'
  const text = String(value)
  return text.length <= wordCharsMax ? text : `${text.slice(0, wordCharsMax)}…`
}

export const eventColumns = ({ terminal, clock }: Context): readonly Column<EventRow>[] => [
  { title: 'position', align: 'right', cell: ({ position }) => position },
  { title: 'time', cell: ({ time }) => when(terminal, clock, time) },
  { title: 'type', cell: ({ type }) => type },
  { title: 'stream', cell: ({ stream }) => stream, flexible: true },
  { title: 'actor', cell: ({ actor }) => actor, flexible: true },
  { title: 'says', cell: ({ data }) => gist(data), flexible: true },
]

/** One event as a line of a log that goes on, whose columns can not be known before. */
export const eventLine = ({ terminal }: Context, event: EventRow): string =>
  `${terminal.style('dim', event.time)} ${event.position} ${terminal.style('bold', harmless(event.type))} ` +
  `${harmless(event.stream)} ${harmless(gist(event.data))} ${terminal.style('dim', `by ${harmless(event.actor)}`)}\n`
