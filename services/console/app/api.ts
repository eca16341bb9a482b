import { asProblem, problemOf } from './problem.ts'

/** Longer than any answer the server may take; a request without an answer is a problem and not a wait for ever. */
export const answerMaxMs = 30_000
/** The most rows the API gives at once. */
export const pageMax = 200

export type Query = Readonly<Record<string, string | number | undefined>>

export interface Call {
  readonly query?: Query
  readonly body?: unknown
  readonly signal?: AbortSignal
}

export interface Page<Row> {
  readonly items: readonly Row[]
  readonly next: string | null
}

export interface ApiSettings {
  readonly fetch: typeof fetch
  /** The bearer token, or null when nobody has signed in. */
  readonly token: () => string | null
  readonly freshId: () => string
  /** Told when the server refuses the credential itself. */
  readonly onRefused: () => void
}

export interface Api {
  get<Result>(path: string, query?: Query, signal?: AbortSignal): Promise<Result>
  /** @param maxMs how long the answer may take, where that is longer than other answers */
  send<Result>(
    method: 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    body?: unknown,
    maxMs?: number,
  ): Promise<Result>
  /** Replaces what still has this version; `VERSION_CHANGED` when somebody has changed it. */
  replace(path: string, body: unknown, version: number): Promise<unknown>
  /** Reads every page, up to `rowsMax` rows. `more` says that there would have been more. */
  all<Row>(path: string, rowsMax: number, query?: Query): Promise<{ rows: Row[]; more: boolean }>
  /** Reads from now on answer from a state that is at least this far, so that one reads what one wrote or saw. */
  saw(position: number): void
  /** The log was cut back, as a restore from a backup does: nothing is expected beyond this position. */
  cutBack(position: number): void
  /** A response whose body is a stream; the caller reads it and gives the signal that ends it. */
  stream(path: string, query: Query, headers: Record<string, string>, signal: AbortSignal): Promise<Response>
}

/** What no read model answers, so that it does not know the question: the log itself, and who delivers. */
const neverBehind = /^events|^webhooks\/[^/]+\/deliveries$/

/** `path` with the parts of the query that have a value. */
export function address(path: string, query: Query = {}): string {
  const set = Object.entries(query).filter(([, value]) => value !== undefined && value !== '')
  const text = new URLSearchParams(set.map(([name, value]) => [name, String(value)])).toString()
  return text === '' ? path : `${path}?${text}`
}

/** The client of the public API: a bearer token, JSON, and every refusal as a Problem. */
export function createApi({ fetch, token, freshId, onRefused }: ApiSettings): Api {
  async function ask(method: string, path: string, call: Call, headers: Record<string, string>): Promise<Response> {
    const json = call.body === undefined ? {} : { 'content-type': 'application/json' }
    const response = await fetch(address(`/v1/${path}`, call.query), {
      method,
      headers: { authorization: `Bearer ${token() ?? ''}`, ...json, ...headers },
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
      ...(call.signal === undefined ? {} : { signal: call.signal }),
    }).catch((fault: unknown) => Promise.reject(asProblem(fault)))
    if (response.ok) return response
    if (response.status === 401) onRefused()
    throw await problemOf(response)
  }

  function exchange(method: string, path: string, call: Call, headers = {}, maxMs = answerMaxMs): Promise<Response> {
    const deadline = AbortSignal.timeout(maxMs)
    const signal = call.signal === undefined ? deadline : AbortSignal.any([deadline, call.signal])
    return ask(method, path, { ...call, signal }, headers)
  }

  let seenPosition = 0
  const saw = (position: number) => void (seenPosition = Math.max(seenPosition, position))
  const fresh = (path: string): Query =>
    seenPosition === 0 || neverBehind.test(path) ? {} : { minPosition: seenPosition }

  const get: Api['get'] = async (path, query = {}, signal) => {
    const call = { query: { ...fresh(path), ...query }, ...(signal === undefined ? {} : { signal }) }
    return json(await exchange('GET', path, call))
  }

  return {
    get,
    saw,
    cutBack: (position) => void (seenPosition = Math.min(seenPosition, position)),

    async send(method, path, body, maxMs) {
      const headers = method === 'POST' ? { 'idempotency-key': freshId() } : {}
      const response = await exchange(method, path, body === undefined ? {} : { body }, headers, maxMs)
      saw(Number(response.headers.get('remuda-position') ?? 0))
      return json(response)
    },

    async replace(path, body, version) {
      const response = await exchange('PUT', path, { body }, { 'if-match': `"${version}"` })
      saw(Number(response.headers.get('remuda-position') ?? 0))
      return json(response)
    },

    async all<Row>(path: string, rowsMax: number, query: Query = {}) {
      const rows: Row[] = []
      let cursor: string | undefined
      do {
        const page: Page<Row> = await get(path, { ...query, limit: Math.min(pageMax, rowsMax - rows.length), cursor })
        rows.push(...page.items)
        cursor = page.next ?? undefined
      } while (cursor !== undefined && rows.length < rowsMax)
      return { rows, more: cursor !== undefined }
    },

    stream: (path, query, headers, signal) => ask('GET', path, { query, signal }, headers),
  }
}

async function json<Result>(response: Response): Promise<Result> {
  const text = await response.text().catch((fault: unknown) => Promise.reject(asProblem(fault)))
  return text === '' ? (undefined as Result) : (JSON.parse(text) as Result)
}
