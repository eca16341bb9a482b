import type { Progress } from '#libs/store/copy.ts'
import { speakDuration } from '#libs/units.ts'
import type { Context } from '../context.ts'
import { share } from '../format.ts'

const redrawnEveryMs = 200
const toldEveryMs = 10_000
const secondMs = 1_000

/** Tells on standard error how far a copy is: in place for a person, otherwise in a line now and then. */
export function storeProgress({ terminal, clock, note }: Context) {
  const everyMs = terminal.liveProgress ? redrawnEveryMs : toldEveryMs
  const startedMs = clock.steadyMs()
  let shownMs = startedMs
  let first: Progress | null = null
  return {
    show(progress: Progress): void {
      const nowMs = clock.steadyMs()
      first ??= progress
      if (nowMs - shownMs < everyMs) return
      shownMs = nowMs
      const text = progressText(first, progress, nowMs - startedMs)
      if (terminal.liveProgress) terminal.err(`\r\u001b[K${text}`)
      else note(text)
    },
    end(): void {
      if (terminal.liveProgress) terminal.err('\r\u001b[K')
    },
  }
}

/** @param elapsedMs since the first of these */
export function progressText(first: Progress, { events, copied, position, head }: Progress, elapsedMs: number): string {
  const seconds = Math.max(elapsedMs, 1) / secondMs
  const rate = Math.round(events / seconds)
  const restMs = ((head - position) / Math.max(1, position - first.position)) * elapsedMs
  const left =
    position === first.position ? '' : `, about ${speakDuration(Math.ceil(restMs / secondMs) * secondMs)} left`
  const kept = events === copied ? '' : ` (${grouped(events - copied)} were there)`
  return `${grouped(events)} events${kept}, ${share(position / head)}, ${grouped(rate)}/s${left}`
}

const grouped = (count: number): string => count.toLocaleString('en')
