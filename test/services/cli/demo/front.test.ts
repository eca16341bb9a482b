import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { systemClock as clock } from '#libs/systemClock.ts'
import { Front } from '#services/cli/demo/cluster/front.ts'

const stack: (() => unknown)[] = []
afterEach(async () => {
  for (const close of stack.splice(0).toReversed()) await close()
})

async function backend(answer: RequestListener): Promise<{ url: string; server: Server }> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  stack.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server }
}
const named = (name: string) => backend((_, response) => response.end(name))

async function deadUrl(): Promise<string> {
  const { url, server } = await named('dead')
  server.close()
  await once(server, 'close')
  return url
}
async function front(backendsFor: (path: string) => readonly string[]): Promise<Front> {
  const opened = await Front.open(clock, 0, backendsFor)
  stack.push(() => opened[Symbol.asyncDispose]())
  return opened
}
const text = async (url: string) => (await fetch(url)).text()

describe('the front of the demo', () => {
  it('sends each path where it belongs, one server after the other', async () => {
    const [a, b, agents] = await Promise.all([named('a'), named('b'), named('agents')])
    const { url } = await front((path) => (path.startsWith('/v1/agent') ? [agents.url] : [a.url, b.url]))
    expect(new Set([await text(`${url}/v1/machines`), await text(`${url}/v1/machines`)])).toEqual(new Set(['a', 'b']))
    expect(await text(`${url}/v1/agent/enroll`)).toBe('agents')
  })

  it('passes over those that cannot be reached, and says so when none can', async () => {
    const [dead, alive] = [await deadUrl(), await named('alive')]
    const { url } = await front((path) => (path === '/none' ? [dead] : [dead, alive.url]))
    for (let turn = 0; turn < 4; turn++) expect(await text(url)).toBe('alive')
    const refused = await fetch(`${url}/none`)
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1'])
    expect(refused.headers.get('content-type')).toBe('application/problem+json')
  })

  it('passes on method, headers and body, and status, headers and body of the answer', async () => {
    const { url: behind } = await backend((request, response) => {
      response.writeHead(418, { 'x-method': request.method ?? '', 'x-seen': String(request.headers['x-asked']) })
      request.pipe(response)
    })
    const { url } = await front(() => [behind])
    const body = 'x'.repeat(200_000)
    const answer = await fetch(url, { method: 'POST', headers: { 'x-asked': 'yes' }, body })
    expect([answer.status, answer.headers.get('x-method'), answer.headers.get('x-seen')]).toEqual([418, 'POST', 'yes'])
    expect(await answer.text()).toBe(body)
  })

  it('shows what comes of a stream as it comes, and lets go of it when the reader does', async () => {
    const gone = Promise.withResolvers<void>()
    const { url: behind } = await backend((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n')
      response.once('close', gone.resolve)
    })
    const { url } = await front(() => [behind])
    const { body } = await fetch(url)
    const reader = body!.getReader()
    expect(new TextDecoder().decode((await reader.read()).value)).toBe('data: 1\n\n')
    await reader.cancel()
    await gone.promise
  })

  it('answers for a server that goes away with the request in hand', async () => {
    const { url: behind } = await backend((request) => request.socket.destroy())
    const { url } = await front(() => [behind])
    expect((await fetch(url)).status).toBe(502)
  })

  it('joins sockets, and ends one when the other ends', async () => {
    const { url: behind, server } = await named('sockets')
    const sockets = new WebSocketServer({ server })
    sockets.on('connection', (socket) => socket.on('message', (said) => socket.send(`heard ${String(said)}`)))
    const { url } = await front(() => [behind])
    const client = new WebSocket(url.replace('http', 'ws'))
    await once(client, 'open')
    client.send('hello')
    const [heard] = await once(client, 'message')
    expect(String(heard)).toBe('heard hello')
    const closed = once(client, 'close')
    for (const socket of sockets.clients) socket.terminate()
    await closed
  })

  it('turns a socket away when nobody can be reached', async () => {
    const { url } = await front(() => [])
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    socket.write('GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n')
    const [answer] = await once(socket, 'data')
    expect(String(answer)).toMatch(/^HTTP\/1\.1 503 /)
    socket.destroy()
  })
})
