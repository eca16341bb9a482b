import { exactTime } from './format.ts'

/** A moment of the past, as an address has it, in words: a time, or a position of the log. */
export function pastWords(asOf: string): string {
  const [, position] = /^(?:position:)?(\d+)$/.exec(asOf) ?? []
  if (position !== undefined) return `position ${position} of the log`
  return fieldOf(asOf) === '' ? asOf : exactTime(asOf)
}

const two = (part: number) => String(part).padStart(2, '0')

/** An instant as the field for a date and a time has it: by the clock of the person, without a zone. */
export function fieldOf(instant: string): string {
  const at = new Date(instant)
  // A position of the log is no time, though browsers find a year in it.
  if (!/^\d{4}-/.test(instant) || Number.isNaN(at.getTime())) return ''
  const day = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join('-')
  return `${day}T${two(at.getHours())}:${two(at.getMinutes())}`
}

/** The other way round; empty when the field is. */
export function instantOf(field: string): string {
  const at = new Date(field)
  return Number.isNaN(at.getTime()) ? '' : at.toISOString()
}
