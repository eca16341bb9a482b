import type { Msg, NatsConnection } from '@nats-io/transport-node'
import type { Clock } from '#libs/clock.ts'
import packageJson from '../../../package.json' with { type: 'json' }
import type { Endpoint } from './responder.ts'

const name = 'remuda'
const nanosPerMs = 1_000_000

interface Discovered {
  readonly clock: Clock
  readonly endpoints: () => readonly Endpoint[]
}

/**
 * Answers the questions of the NATS services protocol (PING, INFO, STATS), so that `nats micro ls` and its like see
 * this server, what it answers, how often, and how long that takes. Ends with the connection.
 */
export function answerDiscovery(connection: NatsConnection, { clock, endpoints }: Discovered): void {
  const identity = { name, id: clock.id(), version: packageJson.version, metadata: {} }
  const started = new Date(clock.wallMs()).toISOString()
  const answers = {
    PING: () => ({ type: 'io.nats.micro.v1.ping_response', ...identity }),
    INFO: () => ({
      type: 'io.nats.micro.v1.info_response',
      ...identity,
      description: packageJson.description,
      endpoints: endpoints().map(described),
    }),
    STATS: () => ({
      type: 'io.nats.micro.v1.stats_response',
      ...identity,
      started,
      endpoints: endpoints().map(counted),
    }),
  }
  for (const [verb, answer] of Object.entries(answers)) {
    const callback = (error: Error | null, message: Msg) => {
      if (error === null && !connection.isClosed()) message.respond(JSON.stringify(answer()))
    }
    for (const subject of [`$SRV.${verb}`, `$SRV.${verb}.${name}`, `$SRV.${verb}.${name}.${identity.id}`])
      connection.subscribe(subject, { callback })
  }
}

const nameOf = (pattern: string) =>
  pattern
    .replaceAll('*', 'any')
    .replaceAll('>', 'rest')
    .replaceAll(/[^A-Za-z0-9_-]/g, '-')

const described = ({ pattern, queue = '' }: Endpoint) => ({
  name: nameOf(pattern),
  subject: pattern,
  queue_group: queue,
  metadata: {},
})

const counted = ({ pattern, queue = '', requests, errors, lastError, busyMs }: Endpoint) => ({
  name: nameOf(pattern),
  subject: pattern,
  queue_group: queue,
  num_requests: requests,
  num_errors: errors,
  last_error: lastError,
  processing_time: busyMs * nanosPerMs,
  average_processing_time: requests === 0 ? 0 : Math.round((busyMs * nanosPerMs) / requests),
})
