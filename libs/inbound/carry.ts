import { createHash } from 'node:crypto'
import type { AcceptedAnswer } from '#contracts/command.ts'
import type { Problem } from '#contracts/problem.ts'
import type { Http } from '../http/http.ts'
import type { Readable } from './request.ts'

/** What came of a request: where its effect is readable from and what it made, or why not. */
export type Outcome = AcceptedAnswer | Problem

const parameter = /:(\w+)/g

/**
 * Carries a request out as the request of the HTTP API that it stands for, within this process: the same guard, limits,
 * schemas and routes. Its source and id are its Idempotency-Key, so one that comes again is answered and not repeated.
 * @param bearer the credential of who asks
 */
export async function carryOut(app: Http, { event, request, data }: Readable, bearer: string): Promise<Outcome> {
  const { id, source, ifmatch, correlationid } = event
  const named = new Set([...request.path.matchAll(parameter)].map(([, name]) => name))
  const rest = Object.entries(data).filter(([name]) => !named.has(name))
  const body = request.body === undefined ? Object.fromEntries(rest) : data[request.body]
  const reply = await app.inject({
    method: request.method,
    url: request.path.replaceAll(parameter, (_, name: string) => encodeURIComponent(String(data[name]))),
    remoteAddress: 'bus',
    headers: {
      authorization: `Bearer ${bearer}`,
      'content-type': 'application/json',
      'idempotency-key': createHash('sha256')
        .update(JSON.stringify([source, id]))
        .digest('hex'),
      ...(ifmatch === undefined ? {} : { 'if-match': versionTag(ifmatch) }),
      ...(correlationid === undefined ? {} : { 'x-request-id': correlationid }),
    },
    payload: JSON.stringify(body),
  })
  if (reply.statusCode >= 400) return reply.json<Problem>()
  const { position, ...result } = reply.json<{ position: number }>()
  return { accepted: true, position, result }
}

/** Over HTTP a version stands in quotes. */
const versionTag = (given: string | number): string => (/^\d+$/.test(String(given)) ? `"${given}"` : String(given))
