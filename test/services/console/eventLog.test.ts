import { describe, expect, it } from 'vitest'
import { earlier, fits, mentions, windowPositions } from '../../../services/console/app/eventLog.ts'
import { tail, type Piece } from '../../../services/console/app/logTail.ts'
import { Problem } from '../../../services/console/app/problem.ts'
import { eventRow } from '#test/support/consoleRows.ts'

const logOf = (many: number) =>
  Array.from({ length: many }, (_, at) => ({
    ...eventRow(at % 100 === 0 ? 'Rare' : 'Usual', 'machine-a', {}),
    position: at + 1,
  }))
const all = { stream: '', type: '' }

describe('going back in the event log', () => {
  const log = logOf(3_500)
  const read = async (query: Readonly<Record<string, unknown>>) => {
    const end = Number(query['after']) + Number(query['limit'])
    const looked = log.slice(Number(query['after']), end)
    return {
      items: looked.filter(({ type }) => type.includes(String(query['type']))),
      next: end < log.length ? String(end) : null,
    }
  }

  it('gives the newest first, each once, down to the very first', async () => {
    const positions: number[] = []
    let from = log.length + 1
    while (from > 0) {
      const page = await earlier(read, from, all)
      positions.push(...page.events.map(({ position }) => position))
      from = page.from
    }
    expect(positions).toEqual(log.map(({ position }) => position).reverse())
  })
  it('goes on through windows without a find', async () => {
    const page = await earlier(read, log.length + 1, { stream: '', type: 'Rare' })
    expect(page.events).toHaveLength(35)
    expect(page.from).toBe(0)
    expect(log.length).toBeGreaterThan(windowPositions)
  })
  it('knows whether a new event belongs on the list', () => {
    const event = eventRow('MachineEnabled', 'machine-a', { machineId: 'a' })
    expect(fits(event, all)).toBe(true)
    expect(fits(event, { stream: 'machine-b', type: '' })).toBe(false)
    expect(fits(event, { stream: 'machine', type: 'MachineEnabled' })).toBe(true)
    expect(fits(event, { stream: '', type: 'MachineDisabled' })).toBe(false)
    expect(mentions(event, 'a was enabled.', 'ADA enabled')).toBe(true)
    expect(mentions(event, 'a was enabled.', 'removed')).toBe(false)
  })
})

describe('tailing a log', () => {
  const bytes = new TextEncoder()
  const piece = (id: number, taskId: string) =>
    bytes.encode(
      `id: ${id}\ndata: ${JSON.stringify({ taskId, machineName: 'web-01', stepId: 'install', text: `${taskId}${id}` })}\n\n`,
    )
  const end = bytes.encode('event: end\ndata: {}\n\n')

  it('resumes after a cut, tells each piece once and stops at the end', async () => {
    const asked: (string | null)[] = []
    const heard: Piece[] = []
    const problems: (Problem | null)[] = []
    const plays = [[piece(7, 'a'), piece(9, 'b')], new Problem(503, {}), [piece(9, 'b'), piece(12, 'a'), end], []]
    await tail(
      {
        open: async (lastId) => {
          asked.push(lastId)
          const play = plays[asked.length - 1]
          if (play instanceof Problem) throw play
          return new Response(ReadableStream.from(play ?? []))
        },
        sleep: async () => {},
        chance: () => 0,
        onPiece: (one) => void heard.push(one),
        onProblem: (one) => void problems.push(one),
      },
      new AbortController().signal,
    )
    expect(asked).toEqual([null, '9', '9'])
    expect(heard.map(({ text }) => text)).toEqual(['a7', 'b9', 'a12'])
    expect(problems.map((one) => one?.status ?? null)).toEqual([null, 503, null])
  })
})
