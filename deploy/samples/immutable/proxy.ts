import { Agent, request as ask, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Pool } from './pool.ts'

const answerMs = 30_000
// A connection that is kept may be closed by the other side at the moment in which it is used.
const agent = new Agent({ keepAlive: false })

/** Hands a request to a member of the pool, and nothing is tried twice: what fails is for the visitor to see. */
export function proxy(pool: Pool, request: IncomingMessage, response: ServerResponse): void {
  const member = pool.next()
  if (member === null) return refuse(response, 503, 'nothing serves')
  member.requests++
  response.once('close', () => void member.requests--)
  const { method, url: path, headers } = request
  const there = ask(
    { host: '127.0.0.1', port: member.port, method, path, headers, agent, timeout: answerMs },
    (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.on('error', () => response.destroy())
      answer.pipe(response)
    },
  )
  there.once('timeout', () => there.destroy(new Error(`no answer within ${answerMs} ms`)))
  there.once('error', (error) => refuse(response, 502, `${member.name}: ${error.message}`))
  response.once('close', () => there.destroy())
  request.pipe(there)
}

function refuse(response: ServerResponse, status: number, what: string): void {
  if (response.headersSent) response.destroy()
  else response.writeHead(status, { 'content-type': 'text/plain' }).end(`${what}\n`)
}
