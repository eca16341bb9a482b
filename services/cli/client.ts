import { backoffMs } from '#libs/backoff.ts'
import type { Clock } from '#libs/clock.ts'
import { CliError, exits } from './exit.ts'
import { problemFrom, Unreachable } from './failure.ts'
import { requestOnce, type Answered, type Asked, type ClientSettings, type Query } from './request.ts'

export interface Page<Row> {
  readonly items: readonly Row[]
  readonly next: string | null
}

/** An answer with what its headers say: the version to edit from, and how far a reader must be to see a write. */
export interface Reply<Body> {
  readonly body: Body
  readonly etag: string | null
  readonly position: number | null
}

export type Client = ReturnType<typeof createClient>

const attemptsMax = 3
const retryAfterMaxMs = 10_000
const pauses = { baseMs: 250, delayMaxMs: 4_000 }
const notNow: readonly number[] = [429, 502, 503, 504]

/** Encodes what is put into an address: path`machines/${id}`. */
export const path = (parts: TemplateStringsArray, ...values: readonly string[]): string =>
  parts.reduce((all, part, index) => all + encodeURIComponent(values[index - 1] ?? '') + part)

/**
 * A client of the public API that reads what it wrote: after a write it asks readers to be at least that far.
 * Repeats of a write carry the same Idempotency-Key, so trying again is safe. Addresses are relative to /v1 unless
 * they begin with a slash.
 */
export function createClient(settings: ClientSettings) {
  let seenPosition = 0

  async function ask<Body>(asked: Asked): Promise<Reply<Body>> {
    const { response, text } = await exchange(settings, asked)
    if (!response.ok) throw problemFrom(response.status, text)
    const position = positionOf(response)
    if (asked.method !== 'GET' && position !== null) seenPosition = Math.max(seenPosition, position)
    return { body: bodyOf<Body>(settings.server, text), etag: response.headers.get('etag'), position }
  }

  // Only routes that answer from a read model know the question; the log itself is never behind.
  const fresh = (address: string, query: Query): Query =>
    seenPosition === 0 || /^(events|parked)/.test(address) ? query : { minPosition: seenPosition, ...query }

  const read = <Body>(address: string, query: Query = {}): Promise<Reply<Body>> =>
    ask<Body>({ method: 'GET', path: address, query: fresh(address, query) })

  const get = async <Body>(address: string, query: Query = {}): Promise<Body> => (await read<Body>(address, query)).body

  return {
    server: settings.server,
    clock: settings.clock,
    ...{ read, get },

    /** Every row of a list, page after page. */
    async *rows<Row>(address: string, query: Query = {}): AsyncGenerator<Row> {
      let cursor: string | undefined
      do {
        const page: Page<Row> = await get<Page<Row>>(address, { ...query, cursor })
        yield* page.items
        if (page.next !== null && page.next === cursor) throw unreadable(`${settings.server} pages in a circle.`)
        cursor = page.next ?? undefined
      } while (cursor !== undefined)
    },

    /**
     * Creates, changes or removes.
     * @param ifMatch the version that the change was made from; null changes whatever stands
     * @param answerMaxMs how long one try may take, where the server has more to do than usual
     */
    send<Body>(
      method: string,
      address: string,
      body?: unknown,
      ifMatch: string | null = null,
      answerMaxMs?: number,
    ): Promise<Reply<Body>> {
      const { idempotencyKey: key = settings.clock.id() } = settings
      const headers = { 'idempotency-key': key, ...(ifMatch === null ? {} : { 'if-match': ifMatch }) }
      return ask<Body>({ method, path: address, headers, body, answerMaxMs })
    },

    /**
     * Opens an answer that goes on, such as a stream of events; the caller reads its body.
     * @param signal ends it
     */
    async open(address: string, asked: Pick<Asked, 'query' | 'headers'>, signal: AbortSignal): Promise<Response> {
      const { response, text } = await exchange(settings, {
        ...asked,
        query: fresh(address, asked.query ?? {}),
        method: 'GET',
        path: address,
        signal,
      })
      if (!response.ok) throw problemFrom(response.status, text)
      return response
    },
  }
}

async function exchange(settings: ClientSettings, asked: Asked): Promise<Answered> {
  const triesMax = settings.attemptsMax ?? attemptsMax
  for (let attempt = 1; ; attempt++) {
    const outcome = await requestOnce(settings, asked).catch((error: unknown) => {
      if (error instanceof Unreachable) return error
      throw error
    })
    const failed = outcome instanceof Unreachable
    const worthAnother =
      attempt < triesMax && !asked.signal?.aborted && (failed || notNow.includes(outcome.response.status))
    if (!worthAnother && failed) throw outcome
    if (!worthAnother) return outcome as Answered
    const asksMs = failed ? 0 : Number(outcome.response.headers.get('retry-after') ?? 0) * 1_000
    await settings.clock.sleep(pauseMs(settings.clock, attempt, asksMs), settings.signal)
  }
}

/** Never less than our own pause, and never as long as a server could ask for. */
function pauseMs(clock: Clock, attempt: number, asksMs: number): number {
  const ownMs = backoffMs(clock, attempt, pauses)
  return Number.isFinite(asksMs) ? Math.min(retryAfterMaxMs, Math.max(asksMs, ownMs)) : ownMs
}

const positionOf = ({ headers }: Response): number | null => {
  const text = headers.get('remuda-position')
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null
}

function bodyOf<Body>(server: string, text: string): Body {
  if (text === '') return {} as Body
  try {
    return JSON.parse(text) as Body
  } catch {
    throw unreadable(`${server} answered with something that is not JSON.`)
  }
}

const unreadable = (what: string) =>
  new CliError(exits.fault, 'ANSWER_UNREADABLE', what, 'check that --server is a Remuda server')
