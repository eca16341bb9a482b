import { describe, expect, it, vi } from 'vitest'
import { listen, type Http, type HttpOptions } from '#libs/http/http.ts'
import type { EventStream } from '#libs/http/sse.ts'
import { as, testHttp } from '#test/support/http.ts'

async function serve(limits: HttpOptions['limits'] = {}) {
  const opened: EventStream[] = []
  const routes = (app: Http) =>
    void app.get('/stream', { config: { scope: 'read' } }, (request, reply) => {
      opened.push(app.streams.open(request, reply))
    })
  const app = await testHttp(routes, { limits })
  const { url } = await listen(app, { port: 0 })
  const connect = (headers = {}) => fetch(`${url}/stream`, { headers: { ...as('reader'), ...headers } })
  return { app, opened, connect }
}

/** Reads on until the text holds what is looked for, or the stream ends. */
async function readUntil(response: Response, wanted: string) {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  while (!text.includes(wanted)) {
    const next = await reader?.read()
    if (next === undefined || next.done) break
    text += next.value
  }
  return { text, close: () => reader?.cancel() }
}

describe('a stream of events', () => {
  it('carries id, type and data, and nothing can break out of its line', async () => {
    const { opened, connect } = await serve()
    const response = await connect()
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    opened[0]?.send({ id: 7, type: 'a\ndata: forged', data: { text: 'two\nlines' } })
    const { text, close } = await readUntil(response, 'lines')
    expect(text).toContain('id: 7\nevent: a data: forged\ndata: {"text":"two\\nlines"}\n\n')
    await close()
    await vi.waitFor(() => expect(opened[0]?.ended.aborted).toBe(true))
  })
  it('goes on where its reader left off', async () => {
    const { opened, connect } = await serve()
    await connect({ 'last-event-id': '41' })
    await connect()
    expect(opened.map(({ lastEventId }) => lastEventId)).toEqual(['41', null])
  })
  it('is kept alive while there is nothing to say', async () => {
    const { connect } = await serve({ streamHeartbeatMs: 10 })
    expect((await readUntil(await connect(), 'still here')).text).toContain(': still here\n\n')
  })
  it('is refused when a caller, or everyone together, has too many', async () => {
    const few = await serve({ streamsPerCallerMax: 1 })
    await few.connect()
    expect((await few.connect()).status).toBe(429)
    expect((await few.connect(as('admin'))).status).toBe(200)

    const full = await serve({ streamsMax: 1 })
    await full.connect()
    expect((await full.connect(as('admin'))).status).toBe(429)
  })
  it('is cut off when its reader is too slow, and its place is free again', async () => {
    const { opened, connect } = await serve({ streamBacklogMaxBytes: 64 * 1_024, streamsMax: 1 })
    await connect()
    const [stream] = opened
    for (let n = 0; n < 500 && !stream?.ended.aborted; n++) {
      stream?.send({ data: 'x'.repeat(64 * 1_024) })
      await new Promise(setImmediate)
    }
    expect(stream?.ended.aborted).toBe(true)
    expect((await connect()).status).toBe(200)
  })
  it('ends when the server stops', async () => {
    const { app, connect } = await serve()
    const response = await connect()
    const [{ text }] = await Promise.all([readUntil(response, 'never'), app.close()])
    expect(text).toContain('retry: 2000')
  })
})
