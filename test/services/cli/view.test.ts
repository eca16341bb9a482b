import { describe, expect, it } from 'vitest'
import { systemClock } from '#libs/systemClock.ts'
import type { Context } from '../../../services/cli/context.ts'
import { lasted, when } from '../../../services/cli/time.ts'
import type { Terminal } from '../../../services/cli/terminal.ts'
import { view } from '../../../services/cli/view.ts'
import { clientOf } from './support.ts'

/** A terminal of four lines that keeps what is written to it. */
function screen(live: boolean) {
  const written: string[] = []
  const terminal: Terminal = {
    live,
    liveProgress: live,
    columns: 80,
    rows: 4,
    out: (text) => void written.push(text),
    err: () => {},
    style: (_, text) => text,
  }
  return { terminal, written }
}

const contextOf = (terminal: Terminal, signal: AbortSignal): Context => ({
  client: clientOf('http://127.0.0.1:1'),
  clock: systemClock,
  signal,
  terminal,
  json: false,
  show: (body, human) => terminal.out(human(body)),
  done: () => {},
  note: () => {},
})

/** Watches numbers that count up, until the third has been shown. */
async function watchThree(live: boolean, human: (count: number) => string) {
  const { terminal, written } = screen(live)
  const stop = new AbortController()
  let count = 0
  const load = async () => {
    if (++count === 4) stop.abort('SIGINT')
    return count
  }
  const watched = view(contextOf(terminal, stop.signal), { watch: true, every: 1 }, load, human)
  await expect(watched).rejects.toMatchObject({ name: 'Interrupted', exit: 130 })
  return written
}

describe('what is watched', () => {
  it('is drawn over itself on a terminal, and no longer than it is high', async () => {
    const [clear, first, second] = await watchThree(true, (count) => `head\n${count}\na\nb\nc\n`)
    const frame = (count: number) => `\u001b[H\u001b[?7lhead\u001b[K\n${count}\u001b[K\na\u001b[K\n\u001b[?7h\u001b[J`
    expect([clear, first, second]).toEqual(['\u001b[2J', frame(1), frame(2)])
  })
  it('is told once in a pipe, and then where it differs', async () => {
    const written = await watchThree(false, (count) => `head  ${' '.repeat(count)} same\ncount ${count}\n`)
    expect(written.slice(0, 3)).toEqual(['head    same\ncount 1\n', 'count 2\n', 'count 3\n'])
  })
})

describe('time', () => {
  const at = Date.parse('2026-11-23T08:00:00Z')
  const clock = { wallMs: () => at }
  it.each([
    [-500, 'now'],
    [-45_900, '45 s ago'],
    [-3 * 3_600_000 - 59_000, '3 h ago'],
    [-26 * 3_600_000, '1 d ago'],
    [90_000, 'in 1 min'],
  ])('%i ms from now is %s to a person', (fromNowMs, text) => {
    expect(when(screen(true).terminal, clock, new Date(at + fromNowMs).toISOString())).toBe(text)
  })
  it('is an instant to a program', () => {
    expect(when(screen(false).terminal, clock, '2026-11-23T07:00:00.000Z')).toBe('2026-11-23T07:00:00.000Z')
  })
  it('that something takes goes on until it has ended', () => {
    expect(lasted(clock, '2026-11-23T07:58:30.000Z', null)).toBe('1 min 30 s')
    expect(lasted(clock, '2026-11-23T07:58:30.000Z', '2026-11-23T07:58:30.250Z')).toBe('250 ms')
    expect(lasted(clock, null, null)).toBe('-')
  })
})
