import type { NatsBusOptions } from '#libs/bus/nats/options.ts'
import type { Clock } from '#libs/clock.ts'
import type { Log } from '#libs/log.ts'
import type { EventStore } from '#libs/store/store.ts'
import type { Leases } from './leases.ts'
import { createLocalLeases } from './local.ts'

export interface OpenLeasesOptions {
  readonly clock: Clock
  readonly log: Log
  readonly store: EventStore
  /** Tells this process from all others, and from its own earlier lives. */
  readonly self: string
  readonly nats?: Omit<NatsBusOptions, 'clock' | 'log'>
}

/**
 * Opens the leases that belong to a bus: on `memory:` this process does everything; on NATS all processes that use the
 * same servers share the work.
 * @param url the URL of the bus
 * @throws BusFault in words for people, when NATS cannot be reached, does not let us in, or keeps nothing
 */
export async function openLeases(url: string, { nats, ...options }: OpenLeasesOptions): Promise<Leases> {
  if (!/^(nats|tls):/.test(url)) return createLocalLeases(options.store)
  // One process needs no client of NATS, so it is loaded only where it is used.
  const { openNatsLeases } = await import('./nats.ts')
  return openNatsLeases(url, { ...nats, ...options })
}
