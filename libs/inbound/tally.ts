import { Counter, type Registry } from 'prom-client'
import type { RawMessage } from '../bus/bus.ts'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Sender } from './senders.ts'

/** `stranger`: without a valid credential. `unreadable`: no request of the contract. `limited`: too many at once. */
export type Kind = 'accepted' | 'refused' | 'unreadable' | 'stranger' | 'limited'

export interface Tally {
  count(kind: Kind, message: RawMessage, sender: Sender | null, requestId: string): void
}

/** What strangers do is said once in this time, with how often they did it. */
const quietMs = 30_000
const subjectCharsMax = 200

/** Counts messages by what became of them, and says so; of strangers only now and then, since they can send for ever. */
export function createTally(metrics: Registry, clock: Clock, log: Log): Tally {
  const counter = new Counter({
    name: 'remuda_inbound_messages_total',
    help: 'Requests of other systems over the bus, by what became of them.',
    labelNames: ['outcome'],
    registers: [metrics],
  })
  let unsaid = 0
  let quietUntilMs = 0

  const warn = (kind: Kind, subject: string, actor: string | undefined) => {
    unsaid += 1
    if (clock.steadyMs() < quietUntilMs) return
    quietUntilMs = clock.steadyMs() + quietMs
    log.warn({ outcome: kind, subject, actor, messages: unsaid }, 'requests over the bus were turned away')
    unsaid = 0
  }
  return {
    count(kind, message, sender, requestId) {
      counter.inc({ outcome: kind })
      const subject = message.subject.slice(0, subjectCharsMax)
      const actor = sender?.principal.id
      if (kind === 'stranger' || kind === 'limited') warn(kind, subject, actor)
      else if (kind === 'unreadable') log.info({ requestId, subject, actor }, 'a request over the bus cannot be read')
      // Of the others the HTTP API has said what became of them.
      else log.debug({ requestId, outcome: kind, subject, actor }, 'a request came over the bus')
    },
  }
}
