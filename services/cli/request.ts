import type { Clock } from '#libs/clock.ts'
import { Interrupted } from './exit.ts'
import { Unreachable } from './failure.ts'

export type Query = Readonly<Record<string, string | number | undefined>>

export interface ClientSettings {
  readonly server: string
  readonly token: string | null
  readonly clock: Clock
  /** Ends every request and every pause between tries. */
  readonly signal?: AbortSignal
  /** How long one try may take, in milliseconds. */
  readonly answerMaxMs?: number
  /** How often a request is tried that nobody answered, or that was answered with "not now". */
  readonly attemptsMax?: number
  /** Given to every write, where the caller wants to repeat a whole command safely; otherwise each gets its own. */
  readonly idempotencyKey?: string | undefined
}

export interface Asked {
  readonly method: string
  readonly path: string
  readonly query?: Query
  readonly headers?: Readonly<Record<string, string>>
  /** A blob is sent as it is, anything else as JSON. */
  readonly body?: unknown
  /** How long one try of this request may take, where that is not what others may. */
  readonly answerMaxMs?: number | undefined
  /** Ends this request only. A request that has one is a stream: its body is left for the caller to read. */
  readonly signal?: AbortSignal
}

export interface Answered {
  readonly response: Response
  /** The whole body; empty for a stream that was opened. */
  readonly text: string
}

const answerMaxMs = 30_000

/**
 * One try of a request, body included, with a deadline.
 * @throws Unreachable when nobody answered in time, Interrupted when the person gave up
 */
export async function requestOnce(settings: ClientSettings, asked: Asked): Promise<Answered> {
  const { clock, server, signal } = settings
  if (signal?.aborted) throw new Interrupted(signal.reason)
  const limitMs = asked.answerMaxMs ?? settings.answerMaxMs ?? answerMaxMs
  const late = new AbortController()
  const timer = clock.timer(limitMs, () => late.abort())
  const signals = [late.signal, signal, asked.signal].filter((one) => one !== undefined)
  try {
    const init = { ...initOf(settings.token, asked), signal: AbortSignal.any(signals) }
    const response = await fetch(addressOf(server, asked), init)
    const streams = asked.signal !== undefined && response.ok
    return { response, text: streams ? '' : await response.text() }
  } catch (error) {
    if (signal?.aborted) throw new Interrupted(signal.reason)
    throw new Unreachable(server, late.signal.aborted ? `no answer within ${limitMs} ms` : causeOf(error))
  } finally {
    timer.cancel()
  }
}

function initOf(token: string | null, { method, headers, body }: Asked): RequestInit {
  const credential = token === null ? {} : { authorization: `Bearer ${token}` }
  const type = body instanceof Blob ? 'application/octet-stream' : 'application/json'
  const sent = body instanceof Blob ? body : JSON.stringify(body)
  const typed = body === undefined ? {} : { 'content-type': type }
  const all = { accept: 'application/json', ...credential, ...typed, ...headers }
  // A redirect would turn a POST into a GET and may lead the credential elsewhere.
  return { method, headers: all, redirect: 'error', ...(body === undefined ? {} : { body: sent }) }
}

function addressOf(server: string, { path, query = {} }: Asked): string {
  const given = Object.entries(query).flatMap(([key, value]) => (value === undefined ? [] : [[key, String(value)]]))
  const search = new URLSearchParams(given).toString()
  const below = path.startsWith('/') ? path : `/v1/${path}`
  return `${server.replace(/\/+$/, '')}${below}${search === '' ? '' : `?${search}`}`
}

function causeOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error
  const code = (cause as { code?: unknown }).code
  const text = cause instanceof Error && cause.message !== '' ? cause.message : String(cause)
  return typeof code === 'string' && !text.includes(code) ? `${code} ${text}`.trim() : text
}
