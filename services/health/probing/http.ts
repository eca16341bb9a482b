import { request, type ClientRequest, type IncomingMessage } from 'node:http'
import { isIP, Socket } from 'node:net'
import { connect as secure } from 'node:tls'
import type { Probe } from '#contracts/probe.ts'
import { isOfSystem, type SeenByHttp, type Trouble } from './classify.ts'
import { codeOf, connect, type Guard } from './connect.ts'
import type { Way } from './way.ts'

/** So much of an answer is searched for what it must contain. */
export const bodyReadMaxBytes = 65_536

/** Asks once: redirects are not followed, since what they lead to is not what is to be looked at. */
export async function lookByHttp(
  { url: text, bodyIncludes }: Extract<Probe, { kind: 'http' }>,
  way: Way,
  guard: Guard,
): Promise<SeenByHttp> {
  const url = new URL(text)
  const isSecure = url.protocol === 'https:'
  // Addresses of the sixth version stand in brackets in a URL.
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const port = url.port === '' ? (isSecure ? 443 : 80) : Number(url.port)
  const connected = await connect({ host, port }, way, guard)
  if (!(connected instanceof Socket)) return connected
  const shaken = isSecure ? await handshake(connected, host, way) : connected
  if (!(shaken instanceof Socket)) return shaken
  way.step = 'answer'
  return ask(url, shaken, way, bodyIncludes)
}

/** A machine that answers with the wrong certificate does answer. */
function handshake(socket: Socket, host: string, way: Way): Promise<Socket | SeenByHttp> {
  way.step = 'handshake'
  return new Promise((resolve) => {
    const secured = secure({ socket, host, servername: isIP(host) > 0 ? '' : host, ALPNProtocols: ['http/1.1'] })
    secured.on('error', (error) => resolve(troubleOf(error, 'tls')))
    secured.once('secureConnect', () => resolve(secured))
  })
}

function troubleOf(error: Error, otherwise: 'tls' | 'not-http'): Trouble | Extract<SeenByHttp, { code: string }> {
  const code = codeOf(error)
  return { seen: isOfSystem(code) ? 'fault' : otherwise, code }
}

function ask(url: URL, socket: Socket, way: Way, bodyIncludes: string | undefined): Promise<SeenByHttp> {
  return new Promise((resolve) => {
    const asked: ClientRequest = request({
      ...{ method: 'GET', path: `${url.pathname}${url.search}`, signal: way.signal },
      headers: { host: url.host, 'user-agent': 'remuda-probe', accept: '*/*', connection: 'close' },
      createConnection: () => socket,
    })
    const answer = (status: number, body: 'unread' | 'matches' | 'differs' | 'broken-off') =>
      resolve({ seen: 'answer', status, body })
    asked.on('error', (error) => resolve(troubleOf(error, 'not-http')))
    asked.once('upgrade', ({ statusCode = 0 }: IncomingMessage) => answer(statusCode, 'unread'))
    asked.once('response', (response) => {
      const { statusCode = 0 } = response
      response.on('error', () => answer(statusCode, 'broken-off'))
      if (bodyIncludes === undefined) return answer(statusCode, 'unread')
      way.step = 'body'
      search(response, bodyIncludes, (body) => answer(statusCode, body))
    })
    asked.end()
  })
}

/** What is read is compared and thrown away. */
function search(response: IncomingMessage, wanted: string, tell: (found: 'matches' | 'differs') => void): void {
  let read = Buffer.alloc(0)
  response.on('data', (piece: Buffer) => {
    read = Buffer.concat([read, piece.subarray(0, bodyReadMaxBytes - read.length)])
    if (read.includes(wanted)) tell('matches')
    else if (read.length >= bodyReadMaxBytes) tell('differs')
  })
  response.once('end', () => tell(read.includes(wanted) ? 'matches' : 'differs'))
}
