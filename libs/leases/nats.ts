import { BusFault } from '#libs/bus/bus.ts'
import { connectToNats } from '#libs/bus/nats/connect.ts'
import { natsDefaults, type NatsBusOptions } from '#libs/bus/nats/options.ts'
import type { EventStore } from '#libs/store/store.ts'
import type { Leases } from './leases.ts'
import { createNatsTable } from './natsTable.ts'
import { createSharedLeases } from './shared.ts'
import type { RosterTable } from './table.ts'

export interface NatsLeasesOptions extends NatsBusOptions {
  readonly store: EventStore
  /** Tells this process from all others, and from its own earlier lives. */
  readonly self: string
}

type Settings = NatsLeasesOptions & typeof natsDefaults

const retryMs = 500

/** Where not everybody may make the bucket, it is there once a process has started that may. */
async function firstRead(table: RosterTable, { clock, connectWithinMs }: Pick<Settings, 'clock' | 'connectWithinMs'>) {
  const deadlineMs = clock.steadyMs() + connectWithinMs
  for (;;) {
    try {
      return await table.read('registry')
    } catch (error) {
      if (clock.steadyMs() + retryMs > deadlineMs) throw error
      await clock.sleep(retryMs)
    }
  }
}

/**
 * Leases by a key-value bucket of NATS. They have a connection of their own, so that a flood of events cannot hold up
 * a sign of life.
 * @throws BusFault in words for people, when NATS cannot be reached, does not let us in, or has no JetStream
 */
export async function openNatsLeases(url: string, options: NatsLeasesOptions): Promise<Leases> {
  const settings = { ...natsDefaults, ...options }
  const connection = await connectToNats(url, { ...settings, access: options, retryMs: () => retryMs })
  const table = createNatsTable(connection)
  try {
    await firstRead(table, settings)
  } catch (cause) {
    await connection.close()
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new BusFault(
      'failed',
      `NATS can keep no leases (${why}). Switch JetStream on in the configuration of its servers, and let this user ` +
        'use the bucket remuda-leases.',
      { cause },
    )
  }
  return createSharedLeases({ ...options, table })
}
