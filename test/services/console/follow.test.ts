import { describe, expect, it } from 'vitest'
import { follow, idleMs, retryAfterMs } from '../../../services/console/app/follow.ts'
import { Problem } from '../../../services/console/app/problem.ts'

const event = (position: number) => ({ position, type: 'MachineEnabled', stream: 'machine-a', data: {} })
const bytes = new TextEncoder()
const message = (position: number) => bytes.encode(`id: ${position}\ndata: ${JSON.stringify(event(position))}\n\n`)

type Connection = readonly (Uint8Array | 'hang')[] | Problem

/** Plays a list of connections; the last one hangs until the test stops. */
async function play(connections: readonly Connection[], newest: readonly number[]) {
  const stop = new AbortController()
  const told: (string | number)[] = []
  const waits: number[] = []
  const opened: number[] = []
  const timers: { delayMs: number; run: () => void }[] = []
  let turn = 0
  let asked = 0
  await follow(
    {
      newest: async () => newest[Math.min(asked++, newest.length - 1)] ?? 0,
      async open(position, signal) {
        opened.push(position)
        const connection = connections[turn++]
        if (connection === undefined) {
          stop.abort()
          throw new Problem(0, {})
        }
        if (connection instanceof Problem) throw connection
        return new Response(streamOf(connection, signal, timers))
      },
      sleep: async (delayMs) => void waits.push(delayMs),
      chance: () => 1,
      later(delayMs, run) {
        const timer = { delayMs, run }
        timers.push(timer)
        return () => void timers.splice(timers.indexOf(timer), 1)
      },
      onState: (state) => void told.push(state),
      onEvent: ({ position }) => void told.push(position),
      onResumed: () => void told.push('resumed'),
    },
    stop.signal,
  )
  return { told, waits, opened }
}

/** A hanging connection lets the idle timer run out. */
const streamOf = (parts: readonly (Uint8Array | 'hang')[], signal: AbortSignal, timers: { run: () => void }[]) =>
  new ReadableStream<Uint8Array>({
    async start(controller) {
      for (const part of parts) {
        if (part !== 'hang') controller.enqueue(part)
        else {
          await new Promise((resolve) => setTimeout(resolve, 1))
          timers.at(-1)?.run()
          return controller.error(signal.reason)
        }
      }
      controller.close()
    },
  })

describe('following the event log', () => {
  it('starts at the newest event and resumes behind the last one it saw', async () => {
    const { told, opened } = await play(
      [
        [message(8), message(9)],
        [message(9), message(10)],
      ],
      [7, 9, 10],
    )
    expect(opened).toEqual([7, 9, 10])
    expect(told.filter((one) => typeof one === 'number')).toEqual([8, 9, 10])
    expect(told.filter((one) => one === 'resumed')).toHaveLength(1)
  })
  it('says how the connection stands', async () => {
    const { told } = await play([[message(8)]], [7, 8])
    expect(told.slice(0, 4)).toEqual(['connecting', 'live', 8, 'waiting'])
  })
  it('waits longer after each failure, and starts anew after a success', async () => {
    const down = new Problem(0, {})
    const { waits } = await play([down, down, down, [], down], [1])
    expect(waits.slice(0, 5)).toEqual([500, 1_000, 2_000, 500, 1_000])
  })
  it('never waits longer than its limit, and not all tabs equally long', () => {
    expect(retryAfterMs(50, 1)).toBe(15_000)
    expect(retryAfterMs(50, 0)).toBe(7_500)
  })
  it('takes silence for a dead connection', async () => {
    const { opened } = await play([[message(8), 'hang'], [message(9)]], [7, 9])
    expect(opened.length).toBeGreaterThan(1)
    expect(idleMs).toBeGreaterThan(15_000)
  })
  it('goes back when the log was restored from an older backup', async () => {
    const { opened } = await play([[message(50)], []], [49, 20])
    expect(opened).toEqual([49, 20, 20])
  })
  it('gives up when the credential is refused', async () => {
    const { opened, told } = await play([new Problem(401, {})], [3])
    expect(opened).toHaveLength(1)
    expect(told.at(-1)).toBe('waiting')
  })
  it('passes over what is no event', async () => {
    const { told } = await play([[bytes.encode('data: nonsense\n\ndata: {"type":1}\n\n'), message(8)]], [7, 8])
    expect(told.filter((one) => typeof one === 'number')).toEqual([8])
  })
})
