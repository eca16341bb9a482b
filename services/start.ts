import type { ServiceName } from '#contracts/command.ts'
import type { Leases, Work } from '#libs/leases/leases.ts'
import { createLocalLeases } from '#libs/leases/local.ts'
import type { Platform } from '#libs/platform.ts'
import { startRelay, type Relay } from '#libs/relay.ts'
import { sharedClock } from '#libs/sharedClock.ts'
import { steadilyFrom } from '#libs/steadily.ts'
import { startDeployment, type DeploymentSettings } from './deployment/service.ts'
import { startGateway, type Gateway } from './gateway/service.ts'
import type { GatewaySettings } from './gateway/settings.ts'
import { lastListenedMs } from './health/observer/observers.ts'
import { startHealth, type HealthSettings } from './health/service.ts'
import { startNotify, type NotifySettings } from './notify/service.ts'
import { startPolicy, type PolicyServiceSettings } from './policy/service.ts'
import { startQuery, type Query, type QuerySettings } from './query/service.ts'
import { startRegistry } from './registry/service.ts'

export interface ServicesSettings {
  readonly names: readonly ServiceName[]
  /** Shares the work out where several processes run the same services; without it this one does all of it. */
  readonly leases?: Leases
  readonly query: QuerySettings
  readonly gateway: Partial<GatewaySettings> & Pick<GatewaySettings, 'gatewayId'>
  readonly health?: HealthSettings
  readonly policy?: PolicyServiceSettings
  readonly deployment?: DeploymentSettings
  readonly notify?: NotifySettings
}

export interface Services extends AsyncDisposable {
  /** Where agents are served; absent where that service is not asked for. */
  readonly gateway: Gateway | undefined
  readonly query: Query | undefined
  /** Resolves with the first fault after which a service no longer does its work. */
  readonly failure: Promise<unknown>
}

/**
 * Starts the services named, in the order in which they need each other, and closes them the other way round: health
 * begins behind all that it hears by and ends before it, so that what it says it observed it really could have heard.
 * Where other processes run the same services, the leases say which of them does the work of those that decide.
 */
export async function startServices(given: Platform, settings: ServicesSettings): Promise<Services> {
  await using stack = new AsyncDisposableStack()
  const shared = await sharedClock(given.clock, given.store)
  const clock = steadilyFrom(shared, await lastListenedMs(given.store))
  const platform = { ...given, clock }
  const { leases = createLocalLeases(given.store) } = settings
  const failures: Promise<unknown>[] = []
  const wants = (name: ServiceName) => settings.names.includes(name)
  /** Only one process at a time does the work of these; others stand by. */
  const alone = async (name: ServiceName, start: (platform: Platform) => Promise<Work>) => {
    if (!wants(name)) return
    failures.push(stack.use(await leases.join(name, 1, ({ store }) => start({ ...platform, store }))).failure)
  }

  await alone('relay', async (own) => relayWork(startRelay(own)))
  await alone('registry', startRegistry)
  const query = wants('query') ? stack.use(await startQuery(platform, settings.query)) : undefined
  if (query !== undefined) failures.push(query.failure)
  await alone('deployment', (own) => startDeployment(own, settings.deployment))
  const { partitions } = leases
  const gateway = wants('gateway')
    ? stack.use(await startGateway(platform, { partitions, ...settings.gateway }))
    : undefined
  if (gateway !== undefined) failures.push(gateway.failure)
  if (wants('health')) failures.push(stack.use(await startHealth(platform, { leases, ...settings.health })).failure)
  // Behind health, which first writes down for how long nobody listened: silence in that time is nobody's fault.
  await alone('policy', (own) => startPolicy(own, settings.policy))
  await alone('notify', (own) => startNotify(own, settings.notify))

  const resources = stack.move()
  const failure = Promise.race(failures)
  return { gateway, query, failure, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}

/** A relay that ends for want of a store is a fault; one that was closed is none. */
const relayWork = (relay: Relay): Work => ({
  failure: relay.ended.then((fault) => fault ?? new Promise(() => {})),
  [Symbol.asyncDispose]: () => relay[Symbol.asyncDispose](),
})
