import { createServer, request as httpRequest, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Clock } from '#libs/clock.ts'

const connectWithinMs = 1_000
const answerWithinMs = 90_000
/** What concerns one connection and not the two that it leads through. */
const hopByHop = ['connection', 'keep-alive', 'proxy-connection']

/** Which servers can answer a request for this path, if they run. */
export type BackendsFor = (path: string) => readonly string[]

/**
 * The one address in front of several servers, as a load balancer is: passes each request on to the next server that
 * can be reached.
 */
export class Front implements AsyncDisposable {
  readonly #clock: Clock
  readonly #backendsFor: BackendsFor
  readonly #server: Server
  readonly #sockets = new Set<Duplex>()
  #turn = 0

  private constructor(clock: Clock, backendsFor: BackendsFor) {
    this.#clock = clock
    this.#backendsFor = backendsFor
    this.#server = createServer((request, response) => void this.#pass(request, response))
    this.#server.on('upgrade', (request: IncomingMessage, client: Duplex, head: Buffer) => {
      void this.#join(request, client, head)
    })
    this.#server.on('connection', (socket) => this.#keep(socket))
  }

  /** @param port 0 for any that is free */
  static async open(clock: Clock, port: number, backendsFor: BackendsFor): Promise<Front> {
    const front = new Front(clock, backendsFor)
    await new Promise<void>((resolve, reject) => {
      front.#server.once('error', reject).listen(port, '127.0.0.1', resolve)
    })
    return front
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  async #pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, url: path = '/', headers } = request
    const socket = await this.#reachOne(path)
    if (socket === null) return refuse(response, 503, 'No server can be reached.')
    const onward = httpRequest({ createConnection: () => socket, method, path, headers: endToEnd(headers) })
    const late = this.#clock.timer(answerWithinMs, () => onward.destroy(new Error('no answer in time')))
    onward.once('response', (answer) => {
      late.cancel()
      response.writeHead(answer.statusCode ?? 502, endToEnd(answer.headers))
      response.flushHeaders()
      answer.pipe(response)
      answer.once('error', () => response.destroy())
    })
    onward.once('error', () => refuse(response, 502, 'The server that had the request has gone.'))
    response.once('close', () => {
      late.cancel()
      onward.destroy()
    })
    request.pipe(onward)
  }

  /** Two ends of a socket that from now on talk about whatever they like. */
  async #join(request: IncomingMessage, client: Duplex, head: Buffer): Promise<void> {
    client.on('error', () => client.destroy())
    const server = await this.#reachOne(request.url ?? '/')
    if (server === null) return void client.end('HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\n\r\n')
    const lines = [`${request.method} ${request.url} HTTP/1.1`]
    for (let at = 0; at < request.rawHeaders.length; at += 2)
      lines.push(`${request.rawHeaders[at]}: ${request.rawHeaders[at + 1]}`)
    server.write(`${lines.join('\r\n')}\r\n\r\n`)
    server.write(head)
    server.pipe(client).pipe(server)
    server.once('close', () => client.destroy())
    client.once('close', () => server.destroy())
  }

  /** A connection to the next server in turn that can be reached; null when there is none. */
  async #reachOne(path: string): Promise<Socket | null> {
    const backends = this.#backendsFor(path)
    const first = this.#turn++
    for (let at = 0; at < backends.length; at++) {
      const socket = await this.#reach(new URL(backends[(first + at) % backends.length] ?? ''))
      if (socket !== null) return socket
    }
    return null
  }

  #reach({ hostname, port }: URL): Promise<Socket | null> {
    const socket = connect(Number(port), hostname)
    this.#keep(socket)
    const late = this.#clock.timer(connectWithinMs, () => socket.destroy())
    return new Promise((resolve) => {
      socket.once('connect', () => {
        late.cancel()
        resolve(socket)
      })
      socket.once('close', () => {
        late.cancel()
        resolve(null)
      })
    })
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.once('close', () => this.#sockets.delete(socket))
  }
}

const endToEnd = (headers: IncomingMessage['headers']) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !hopByHop.includes(name)))

function refuse(response: ServerResponse, status: 502 | 503, detail: string): void {
  if (response.headersSent) return void response.destroy()
  const problem = {
    type: 'about:blank',
    title: 'The front proxy of the demo',
    status,
    code: 'SERVICE_UNAVAILABLE',
    detail,
  }
  response.writeHead(status, { 'content-type': 'application/problem+json', 'retry-after': '1' })
  response.end(JSON.stringify(problem))
}
