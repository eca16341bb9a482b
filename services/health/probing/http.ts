import { request, type ClientRequest, type IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import type { Probe } from '#contracts/probe.ts'
import { codeOf, type Guard } from '#libs/outbound/connect.ts'
import { connectUrl } from '#libs/outbound/connectUrl.ts'
import { isOfSystem } from '#libs/outbound/trouble.ts'
import type { Way } from '#libs/outbound/way.ts'
import type { SeenByHttp } from './classify.ts'

/** So much of an answer is searched for what it must contain. */
export const bodyReadMaxBytes = 65_536

/** Asks once: redirects are not followed, since what they lead to is not what is to be looked at. */
export async function lookByHttp(
  { url: text, bodyIncludes }: Extract<Probe, { kind: 'http' }>,
  way: Way,
  guard: Guard,
): Promise<SeenByHttp> {
  const url = new URL(text)
  const connected = await connectUrl(url, way, guard)
  if (!(connected instanceof Socket)) return connected
  way.step = 'answer'
  return ask(url, connected, way, bodyIncludes)
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
    asked.on('error', (error) => resolve(brokenBy(error)))
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

function brokenBy(error: Error): SeenByHttp {
  const code = codeOf(error)
  return { seen: isOfSystem(code) ? 'fault' : 'not-http', code }
}
