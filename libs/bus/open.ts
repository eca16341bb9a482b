import type { Clock } from '#libs/clock.ts'
import type { Log } from '#libs/log.ts'
import type { Bus } from './bus.ts'
import { localFirst } from './localFirst.ts'
import { createMemoryBus } from './memory.ts'
import type { NatsBusOptions } from './nats/options.ts'

export interface OpenBusOptions {
  readonly clock: Clock
  readonly log: Log
  /** What a URL does not say of NATS: files of credentials and certificates, and whether an old server will do. */
  readonly nats?: Omit<NatsBusOptions, 'clock' | 'log'>
}

/**
 * Opens the bus that a URL names.
 * @param url `memory:` for one process; `nats://host:4222` or `tls://`, with several servers divided by commas
 * @throws RangeError naming what is understood, when the scheme is not
 * @throws BusFault in words for people, when NATS cannot be reached, does not let us in, or is too old
 */
export async function openBus(url: string, { clock, log, nats }: OpenBusOptions): Promise<Bus> {
  const scheme = url.slice(0, url.indexOf(':') + 1)
  if (scheme === 'memory:') return createMemoryBus({ clock, log })
  if (/^(nats|tls):\/\//.test(url)) {
    // One process needs no client of NATS, so it is loaded only where it is used.
    const { openNatsBus } = await import('./nats.ts')
    return localFirst(await openNatsBus(url, { ...nats, clock, log }), createMemoryBus({ clock, log }))
  }
  throw new RangeError(
    `REMUDA_BUS_URL: '${scheme || url}' is no bus that Remuda knows; use memory: or nats://host:4222`,
  )
}
