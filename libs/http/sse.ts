import type { ServerResponse } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Clock, Timer } from '../clock.ts'
import { Refused } from '../problem.ts'
import type { HttpLimits } from './limits.ts'

const reconnectMs = 2_000

/** One event for the reader. `id` comes back as `Last-Event-ID` when the reader connects again. */
export interface StreamEvent {
  readonly id?: string | number
  readonly type?: string
  readonly data: unknown
}

/** A reader that stays connected and is told what happens, as server-sent events. */
export interface EventStream {
  /** The id of the last event the reader got before it lost the connection; null when it starts anew. */
  readonly lastEventId: string | null
  /** Aborts when the reader has gone, was too slow, or the server stops. */
  readonly ended: AbortSignal
  send(event: StreamEvent): void
  end(): void
}

/** All open streams of one server: counted, kept alive, and ended when it stops. */
export interface Streams {
  /**
   * Turns the request into a stream. Throws `Refused` TOO_MANY_REQUESTS when the caller, or everyone together, has too
   * many open. After this the route must not answer by itself.
   */
  open(request: FastifyRequest, reply: FastifyReply): EventStream
  endAll(): void
}

type StreamLimits = Pick<
  HttpLimits,
  'streamsMax' | 'streamsPerCallerMax' | 'streamHeartbeatMs' | 'streamBacklogMaxBytes'
>

export function createStreams(clock: Clock, limits: StreamLimits): Streams {
  const open = new Map<EventStream, string>()

  return {
    open(request, reply) {
      const caller = request.principal?.id ?? request.ip
      refuseTooMany([...open.values()], caller, limits)
      reply.hijack()
      reply.headers({ 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' })
      for (const [name, value] of Object.entries(reply.getHeaders())) reply.raw.setHeader(name, value ?? '')
      reply.raw.write(`retry: ${reconnectMs}\n\n`)

      const stream = streamTo(reply.raw, lastIdOf(request), clock, limits)
      open.set(stream, caller)
      stream.ended.addEventListener('abort', () => open.delete(stream), { once: true })
      return stream
    },
    endAll() {
      for (const stream of open.keys()) stream.end()
    },
  }
}

function refuseTooMany(
  callers: readonly string[],
  caller: string,
  { streamsMax, streamsPerCallerMax }: StreamLimits,
): void {
  const own = callers.filter((other) => other === caller).length
  if (own >= streamsPerCallerMax) {
    throw new Refused(
      'TOO_MANY_REQUESTS',
      `${own} streams of this credential are open; ${streamsPerCallerMax} at most.`,
    )
  }
  if (callers.length >= streamsMax) {
    throw new Refused('TOO_MANY_REQUESTS', `${callers.length} streams are open; ${streamsMax} at most.`)
  }
}

function lastIdOf({ headers }: FastifyRequest): string | null {
  const id = headers['last-event-id']
  return typeof id === 'string' && id !== '' ? id : null
}

function streamTo(raw: ServerResponse, lastEventId: string | null, clock: Clock, limits: StreamLimits): EventStream {
  const ended = new AbortController()
  let heartbeat: Timer

  const write = (text: string) => {
    if (ended.signal.aborted) return
    raw.write(text)
    // A reader that does not keep up would fill our memory; it comes back and goes on from its last event.
    if (raw.writableLength > limits.streamBacklogMaxBytes) raw.destroy()
  }
  const beat = () => {
    heartbeat = clock.timer(limits.streamHeartbeatMs, () => {
      write(': still here\n\n')
      beat()
    })
  }
  beat()
  raw.once('close', () => {
    heartbeat.cancel()
    ended.abort()
  })
  return {
    lastEventId,
    ended: ended.signal,
    send: (event) => write(eventText(event)),
    end: () => raw.end(),
  }
}

/** JSON has no raw line break, so the data is one line whatever it says; ids and types are ours and are made safe. */
function eventText({ id, type, data }: StreamEvent): string {
  const line = (name: string, value: string | number | undefined) =>
    value === undefined ? '' : `${name}: ${String(value).replaceAll(/[\r\n\0]/g, ' ')}\n`
  return `${line('id', id)}${line('event', type)}data: ${JSON.stringify(data ?? null)}\n\n`
}
