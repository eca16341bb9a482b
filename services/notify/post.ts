import { request } from 'node:http'
import { isIP, Socket } from 'node:net'
import type { Clock } from '#libs/clock.ts'
import { createGuard } from '#libs/outbound/addresses.ts'
import { codeOf, type Guard } from '#libs/outbound/connect.ts'
import { connectUrl, type Untrusted } from '#libs/outbound/connectUrl.ts'
import type { Trouble } from '#libs/outbound/trouble.ts'
import { Way } from '#libs/outbound/way.ts'
import { plainWord } from './settings.ts'

export interface Letter {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** What the receiver said; its status is null when it said nothing, and the detail says why. */
export interface Reply {
  readonly status: number | null
  readonly retryAfter: string | null
  readonly detail: string
}

/** Sends a letter once. It never throws and always ends within the time. */
export type Post = (letter: Letter, timeoutMs: number, cancel: AbortSignal) => Promise<Reply>

const silence = (detail: string): Reply => ({ status: null, retryAfter: null, detail })

/**
 * Sends over HTTP: to the very address that was checked, without following redirects, and reading of the answer nothing
 * but its head.
 * @param allow what the administrator allows beyond the usual: addresses, and `http`
 */
export function createPost(clock: Clock, allow: readonly string[]): Post {
  const guard = guardOf(allow)
  return async (letter, timeoutMs, cancel) => {
    const refused = refusedUrl(letter.url, allow)
    if (refused !== null) return silence(refused)
    const way = new Way(clock, timeoutMs, cancel)
    try {
      const answered = await Promise.race([send(letter, way, guard), way.cutShort])
      return 'seen' in answered ? silence(wordsOf(answered)) : answered
    } finally {
      way.end()
    }
  }
}

/** Says why nothing is sent there, or null; of a name it is only known once it is looked up. */
export function refusedUrl(text: string, allow: readonly string[]): string | null {
  const url = URL.parse(text)
  if (url === null) return 'it is no address'
  const { protocol, hostname } = url
  if (protocol === 'http:' && !allow.includes(plainWord))
    return 'it is not encrypted: use https://, or let the administrator set REMUDA_WEBHOOK_ALLOW=http'
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  const refused = isIP(host) === 0 ? null : guardOf(allow)(host)
  return refused === null ? null : wordsOf({ seen: 'address', ...refused })
}

const guardOf = (allow: readonly string[]): Guard => createGuard(allow.filter((word) => word !== plainWord))

async function send(letter: Letter, way: Way, guard: Guard): Promise<Reply | Trouble | Untrusted> {
  const url = new URL(letter.url)
  const connected = await connectUrl(url, way, guard)
  if (!(connected instanceof Socket)) return connected
  way.step = 'answer'
  return new Promise((resolve) => {
    const sent = request({
      ...{ method: 'POST', path: `${url.pathname}${url.search}`, signal: way.signal },
      headers: {
        ...{ host: url.host, 'user-agent': 'remuda-webhook', connection: 'close' },
        ...{ ...letter.headers, 'content-length': Buffer.byteLength(letter.body) },
      },
      createConnection: () => connected,
    })
    sent.on('error', (error) => resolve({ seen: 'fault', code: codeOf(error) }))
    sent.once('response', (response) => {
      const { statusCode: status = 0, headers } = response
      response.on('error', () => {})
      response.destroy()
      resolve({ status, retryAfter: headers['retry-after'] ?? null, detail: `it answers ${status}` })
    })
    sent.end(letter.body)
  })
}

function wordsOf(trouble: Trouble | Untrusted): string {
  switch (trouble.seen) {
    case 'fault':
      return `it cannot be reached (${trouble.code})`
    case 'tls':
      return `its certificate is not accepted (${trouble.code})`
    case 'deadline':
      return `it did not answer within ${trouble.timeoutMs} ms (${trouble.step})`
    case 'stall':
      return 'this server was held up and could not wait for the answer'
    case 'address':
      return (
        `${trouble.address} is ${trouble.range}, where notifications are not sent; ` +
        `the administrator may allow it with REMUDA_WEBHOOK_ALLOW=${trouble.allow}`
      )
  }
}
