import type { Clock } from '#libs/clock.ts'
import { parseDuration } from '#contracts/units.ts'
import { speakDuration } from '#libs/units.ts'
import { usage } from './exit.ts'
import { nothing } from './format.ts'
import type { Terminal } from './terminal.ts'

/** An instant: how long ago for a person, the instant itself for a file or another program. */
export function when(terminal: Terminal, clock: Pick<Clock, 'wallMs'>, iso: string | null): string {
  if (iso === null) return nothing
  const atMs = Date.parse(iso)
  if (!terminal.live || Number.isNaN(atMs)) return iso
  const agoMs = clock.wallMs() - atMs
  if (Math.abs(agoMs) < 1_000) return 'now'
  return agoMs > 0 ? `${coarsest(agoMs)} ago` : `in ${coarsest(-agoMs)}`
}

/** How long something took, or has taken until now. */
export function lasted(clock: Pick<Clock, 'wallMs'>, startedAt: string | null, endedAt: string | null): string {
  if (startedAt === null) return nothing
  const endMs = endedAt === null ? clock.wallMs() : Date.parse(endedAt)
  return coarse(endMs - Date.parse(startedAt))
}

/** The largest unit alone: nobody needs to know the minutes of three days. */
const coarsest = (durationMs: number): string => coarse(durationMs).split(' ').slice(0, 2).join(' ')

const minuteMs = 60_000

/** Below a minute in whole seconds, so that a line that is redrawn does not flicker. */
const coarse = (durationMs: number): string => {
  const unitMs = durationMs >= minuteMs || durationMs < 1_000 ? 1 : 1_000
  return speakDuration(Math.floor(Math.max(0, durationMs) / unitMs) * unitMs)
}

/**
 * The moment that a person means: `now`, a time such as 2026-11-24T10:00:00Z, or how long ago, such as 7d.
 * @throws CliError when it is none of these
 */
export function momentMs(clock: Pick<Clock, 'wallMs'>, text: string): number {
  if (text === 'now') return clock.wallMs()
  const agoMs = parseDuration(text)
  if (agoMs !== null) return clock.wallMs() - agoMs
  const atMs = Date.parse(text)
  if (!Number.isNaN(atMs)) return atMs
  throw usage(`"${text}" is no moment.`, 'now, a time such as 2026-11-24T10:00:00Z, or how long ago, such as 7d')
}
