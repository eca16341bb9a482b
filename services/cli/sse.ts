import { StringDecoder } from 'node:string_decoder'
import { backoffMs } from '#libs/backoff.ts'
import type { Client } from './client.ts'
import { CliError, exits } from './exit.ts'
import { ApiProblem, Unreachable } from './failure.ts'
import type { Query } from './request.ts'

/** One server-sent event. `id` is the last id the stream has named, as the standard has it. */
export interface ServerSentEvent {
  readonly id: string | null
  readonly event: string
  readonly data: string
}

const lineCharsMax = 4 * 1024 * 1024

/** Cuts a stream of bytes into server-sent events; comments, which only keep the line open, are null. */
export async function* parseEvents(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<ServerSentEvent | null> {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  let fields = { event: 'message', data: [] as string[] }
  let id: string | null = null
  for await (const chunk of bytes) {
    const lines = (rest + decoder.write(Buffer.from(chunk))).split(/\r\n|\n|\r(?!$)/)
    rest = lines.pop() ?? ''
    if (rest.length > lineCharsMax) throw tooLong()
    for (const line of lines) {
      const [name, value] = fieldOf(line)
      if (name === 'id') id = value
      else if (name === 'event') fields.event = value
      else if (name === 'data') fields.data.push(value)
      else if (line.startsWith(':')) yield null
      if (line !== '') continue
      if (fields.data.length > 0) yield { id, event: fields.event, data: fields.data.join('\n') }
      fields = { event: 'message', data: [] }
    }
  }
}

function fieldOf(line: string): readonly [string, string] {
  const colon = line.indexOf(':')
  if (colon < 0) return [line, '']
  const value = line.slice(colon + 1)
  return [line.slice(0, colon), value.startsWith(' ') ? value.slice(1) : value]
}

const tooLong = () =>
  new CliError(exits.fault, 'ANSWER_UNREADABLE', 'The stream has a line that is too long.', 'check --server')

export interface FollowOptions {
  readonly query?: Query
  /** Ends following, without an error. */
  readonly signal: AbortSignal
  /** Silence after which the connection counts as dead. The server says something every 15 s. */
  readonly idleMs?: number
  /** How long to go on trying to come back, in milliseconds, before giving up. */
  readonly patienceMs?: number
  /** Told when the connection was lost and is being made again. */
  readonly onLost?: (why: string) => void
  /** Whether this event is the last one there will be. */
  readonly isLast?: (event: ServerSentEvent) => boolean
}

const idleMs = 45_000
const patienceMs = 5 * 60_000
const pauses = { baseMs: 250, delayMaxMs: 10_000 }

/**
 * Follows a stream of events for as long as it goes on. A lost connection is made again from the last event's id, so
 * nothing is missed and nothing comes twice. The first connection must succeed.
 * @throws Unreachable when the server stays away for longer than `patienceMs`
 */
export async function* follow(
  client: Client,
  address: string,
  options: FollowOptions,
): AsyncGenerator<ServerSentEvent> {
  const { clock } = client
  const limitMs = options.patienceMs ?? patienceMs
  let lastId: string | null = null
  let failures = 0
  let lostAtMs = clock.steadyMs()
  let connected = false
  while (!options.signal.aborted) {
    try {
      for await (const event of connect(client, address, options, lastId)) {
        connected = true
        failures = 0
        lostAtMs = clock.steadyMs()
        if (event === null) continue
        lastId = event.id ?? lastId
        yield event
        if (options.isLast?.(event)) return
      }
      if (options.signal.aborted) return
      options.onLost?.('the server ended the stream')
    } catch (error) {
      if (options.signal.aborted) return
      const awayMs = clock.steadyMs() - lostAtMs
      if (!isPassing(error) || !connected || awayMs > limitMs) throw error
      if (failures === 0) options.onLost?.(error.message)
    }
    await clock.sleep(backoffMs(clock, ++failures, pauses), options.signal)
  }
}

/** What a restart looks like from here: nobody answers, a proxy does, or the server has not read everything yet. */
const isPassing = (error: unknown): error is CliError =>
  error instanceof Unreachable ||
  (error instanceof ApiProblem && (error.status >= 500 || error.status === 429 || error.status === 404))

/** One connection, with null for the opening and for each heartbeat. Silence on it is told from the quiet of a fleet in which nothing happens, by the heartbeats. */
async function* connect(client: Client, address: string, options: FollowOptions, lastId: string | null) {
  const { clock, server } = client
  const idle = new AbortController()
  const limitMs = options.idleMs ?? idleMs
  const watch = () => clock.timer(limitMs, () => idle.abort())
  let timer = watch()
  try {
    const headers = { accept: 'text/event-stream', ...(lastId === null ? {} : { 'last-event-id': lastId }) }
    const signal = AbortSignal.any([options.signal, idle.signal])
    const response = await client.open(address, { query: options.query ?? {}, headers }, signal)
    yield null
    const bytes: AsyncIterable<Uint8Array> | null = response.body
    if (bytes === null) return
    for await (const event of parseEvents(bytes)) {
      timer.cancel()
      timer = watch()
      yield event
    }
  } catch (error) {
    if (error instanceof CliError) throw error
    throw new Unreachable(server, idle.signal.aborted ? `silent for ${limitMs} ms` : 'the connection was lost')
  } finally {
    timer.cancel()
  }
}
