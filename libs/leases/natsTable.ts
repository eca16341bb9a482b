import { jetstream, type JetStreamApiError } from '@nats-io/jetstream'
import { Kvm, type KV, type KvEntry } from '@nats-io/kv'
import type { NatsConnection } from '@nats-io/transport-node'
import { z } from 'zod'
import { emptyRoster, type Roster } from './roster.ts'
import type { RosterTable, Written } from './table.ts'

const bucket = 'remuda-leases'
const answerMs = 2_000
/** What JetStream says when a key was written since it was read. */
const wrongLastSequence = 10_071
const nudgeSubject = (service: string) => `remuda.leases.${service}`

const RosterShape = z.object({
  members: z.record(z.string(), z.number()),
  holders: z.record(z.string(), z.string()),
})

/** Rosters in a key-value bucket of NATS JetStream, one key for each service. Closing it closes the connection. */
export function createNatsTable(connection: NatsConnection): RosterTable {
  const manager = new Kvm(jetstream(connection, { timeout: answerMs }))
  let opened: Promise<KV> | null = null
  const open = () => (opened ??= manager.create(bucket, { history: 1, timeout: answerMs }))
  /** The bucket may have been lost with everything that NATS kept; then it is made anew. */
  const inBucket = async <Result>(work: (kv: KV) => Promise<Result>): Promise<Result> => {
    try {
      return await work(await open())
    } catch (error) {
      opened = null
      throw error
    }
  }

  return {
    read: (service) => inBucket(async (kv) => writtenIn(await kv.get(service))),
    write: (service, roster, revision) =>
      inBucket(async (kv) => {
        try {
          await kv.put(service, JSON.stringify(roster), { previousSeq: revision })
          return 'written'
        } catch (error) {
          if ((error as JetStreamApiError).code === wrongLastSequence) return 'conflict'
          throw error
        }
      }),
    nudge: (service) => connection.publish(nudgeSubject(service)),
    onNudge(service, look) {
      const subscription = connection.subscribe(nudgeSubject(service), { callback: (error) => void (error ?? look()) })
      return { [Symbol.dispose]: () => subscription.unsubscribe() }
    },
    async [Symbol.asyncDispose]() {
      await connection.close()
    },
  }
}

function writtenIn(entry: KvEntry | null): Written {
  if (entry === null) return { roster: emptyRoster, revision: 0 }
  return { roster: rosterIn(entry), revision: entry.revision }
}

/** What cannot be read is no roster: it is written anew, and who holds what follows from the signs of the living. */
function rosterIn(entry: KvEntry): Roster {
  try {
    return RosterShape.parse(entry.json())
  } catch {
    return emptyRoster
  }
}
