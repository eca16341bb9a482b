import { setTimeout as pause } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { follow, parseEvents, type ServerSentEvent } from '../../../services/cli/sse.ts'
import { clientOf, problem, serve } from './support.ts'

async function* inPieces(text: string, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text)
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1
    yield bytes.subarray(at, at + size)
    at += size
  }
}
const parsed = async (text: string, sizes: readonly number[] = [7]) =>
  (await Array.fromAsync(parseEvents(inPieces(text, sizes)))).filter((event) => event !== null)

describe('a stream of server-sent events', () => {
  it('is the same wherever the network cuts it', async () => {
    const text =
      'retry: 2000\n\nid: 7\nevent: köln\ndata: {"a":"東京"}\n\n: still here\n\nid: 8\r\ndata: x\r\ndata: y\r\n\r\n'
    const whole = [
      { id: '7', event: 'köln', data: '{"a":"東京"}' },
      { id: '8', event: 'message', data: 'x\ny' },
    ]
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }), async (sizes) => {
        expect(await parsed(text, sizes)).toEqual(whole)
      }),
      { numRuns: 200 },
    )
  })
  it('keeps the last id for events that have none, and drops an event that was cut off', async () => {
    expect(await parsed('id: 3\ndata: a\n\ndata: b\n\nid: 4\ndata: half')).toEqual([
      { id: '3', event: 'message', data: 'a' },
      { id: '3', event: 'message', data: 'b' },
    ])
  })
})

describe('following', () => {
  it('comes back after the last event it got, and misses nothing', async () => {
    const asked: (string | undefined)[] = []
    const server = await serve((app) => {
      app.get('/v1/events/stream', (request, reply) => {
        const last = request.headers['last-event-id'] as string | undefined
        asked.push(last)
        const from = Number(last ?? 0)
        reply.hijack()
        reply.raw.writeHead(200, { 'content-type': 'text/event-stream' })
        reply.raw.write(`id: ${from + 1}\ndata: ${from + 1}\n\nid: ${from + 2}\ndata: ${from + 2}\n\n`)
        // Cut off, as a proxy or a restart does it.
        reply.raw.write(`id: ${from + 3}\ndata: lo`, () => reply.raw.destroy())
      })
    })
    const lost: string[] = []
    const got: ServerSentEvent[] = []
    const options = { signal: new AbortController().signal, onLost: (why: string) => void lost.push(why) }
    for await (const event of follow(clientOf(server), 'events/stream', options)) if (got.push(event) === 5) break
    expect(got.map(({ data }) => data)).toEqual(['1', '2', '3', '4', '5'])
    expect(asked[0]).toBeUndefined()
    expect(asked.at(-1)).toBe('4')
    expect(lost.length).toBeGreaterThan(0)
  })
  it('notices a connection that has died in silence', async () => {
    let connections = 0
    const server = await serve((app) => {
      app.get('/v1/events/stream', (_, reply) => {
        reply.hijack()
        reply.raw.writeHead(200)
        reply.raw.write(`id: ${++connections}\ndata: ${connections}\n\n`)
      })
    })
    const options = { signal: new AbortController().signal, idleMs: 50 }
    for await (const { data } of follow(clientOf(server), 'events/stream', options)) if (Number(data) >= 2) break
    expect(connections).toBeGreaterThanOrEqual(2)
  })
  it('ends without an error when told to', async () => {
    const server = await serve((app) => {
      app.get('/v1/events/stream', (_, reply) => {
        reply.hijack()
        reply.raw.writeHead(200)
        reply.raw.write('data: 1\n\n')
      })
    })
    const stop = new AbortController()
    for await (const _ of follow(clientOf(server), 'events/stream', { signal: stop.signal })) {
      await pause(5)
      stop.abort()
    }
    expect(stop.signal.aborted).toBe(true)
  })
  it('does not come back to a server that says no', async () => {
    const server = await serve((app) => {
      app.get('/v1/events/stream', (_, reply) => reply.code(403).send(problem(403, 'PERMISSION_DENIED', 'Not you.')))
    })
    const events = follow(clientOf(server), 'events/stream', { signal: new AbortController().signal })
    await expect(events.next()).rejects.toMatchObject({ code: 'PERMISSION_DENIED', exit: 77 })
  })
})
