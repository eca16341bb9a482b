import { expect } from 'vitest'
import type { Answer } from '#contracts/command.ts'
import type { Cause, Message } from '#contracts/message.ts'
import type { Ask } from '#libs/ask.ts'
import type { Http } from '#libs/http/http.ts'
import { as, testHttp } from '#test/support/http.ts'

export interface Sent {
  readonly service: string
  readonly command: Message
  readonly cause: Cause
}

/** Routes by themselves: what they ask of whom, and what becomes of an answer. */
export async function askedOf(routes: (deps: { ask: Ask }) => (app: Http) => Promise<void>) {
  const sent: Sent[] = []
  let answer: Answer = { accepted: true, position: 7, result: { id: 'x' } }
  const ask: Ask = async (service, command, cause) => {
    sent.push({ service, command, cause })
    return answer
  }
  const app = await testHttp((http) => void http.register(routes({ ask })))
  const send = async (
    method: 'POST' | 'PUT' | 'DELETE',
    url: string,
    payload?: object,
    headers: Record<string, string> = {},
  ) => {
    const reply = await app.inject({
      method,
      url,
      headers: { ...as('writer'), ...headers },
      ...(payload && { payload }),
    })
    return {
      status: reply.statusCode,
      body: reply.json() as Record<string, unknown>,
      position: reply.headers['remuda-position'],
    }
  }
  const refuse = (refused: Extract<Answer, { refused: unknown }>['refused']) =>
    (answer = { refused, detail: 'because' })

  /** A request asks for one command, is answered with the status, and is not for readers. */
  const asks = async (
    [method, url, payload]: readonly ['POST' | 'PUT' | 'DELETE', string, object?],
    status: number,
    type: string,
    data: object,
  ) => {
    const reply = await send(method, url, payload)
    expect([reply.status, reply.position]).toEqual([status, '7'])
    expect(sent.at(-1)?.command).toEqual({ type, data })
    expect(sent.at(-1)?.cause.actor).toBe('token:writer')
    expect((await send(method, url, payload, as('reader'))).status).toBe(403)
    expect(sent).toHaveLength(1)
  }
  return { send, sent, refuse, asks }
}
