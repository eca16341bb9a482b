import type { ServiceName } from '#contracts/command.ts'
import type { Platform } from '#libs/platform.ts'
import { startRelay } from '#libs/relay.ts'
import { steadilyFrom } from '#libs/steadily.ts'
import { startDeployment, type DeploymentSettings } from './deployment/service.ts'
import { startGateway, type Gateway } from './gateway/service.ts'
import type { GatewaySettings } from './gateway/settings.ts'
import { lastListenedMs, startHealth, type HealthSettings } from './health/service.ts'
import { startPolicy, type PolicyServiceSettings } from './policy/service.ts'
import { startQuery, type Query, type QuerySettings } from './query/service.ts'
import { startRegistry } from './registry/service.ts'

export interface ServicesSettings {
  readonly names: readonly ServiceName[]
  readonly query: QuerySettings
  readonly gateway: Partial<GatewaySettings> & Pick<GatewaySettings, 'gatewayId'>
  readonly health?: HealthSettings
  readonly policy?: PolicyServiceSettings
  readonly deployment?: DeploymentSettings
}

export interface Services extends AsyncDisposable {
  /** Where agents are served; absent where that service is not asked for. */
  readonly gateway: Gateway | undefined
  readonly query: Query | undefined
  /** Resolves with the first fault after which a service no longer does its work. */
  readonly failure: Promise<unknown>
}

/**
 * Starts the relay and the services named, in the order in which they need each other, and closes them the other way
 * round: health begins behind all that it hears by and ends before it, so that what it says it observed it really could
 * have heard.
 */
export async function startServices(given: Platform, settings: ServicesSettings): Promise<Services> {
  await using stack = new AsyncDisposableStack()
  const clock = steadilyFrom(given.clock, await lastListenedMs(given.store, settings.health))
  const platform = { ...given, clock }
  const failures: Promise<unknown>[] = []
  const wants = (name: ServiceName) => settings.names.includes(name)

  const relay = stack.use(startRelay(platform))
  failures.push(relay.ended)
  if (wants('registry')) failures.push(stack.use(await startRegistry(platform)).failure)
  const query = wants('query') ? stack.use(await startQuery(platform, settings.query)) : undefined
  if (query !== undefined) failures.push(query.failure)
  if (wants('deployment')) failures.push(stack.use(await startDeployment(platform, settings.deployment)).failure)
  const gateway = wants('gateway') ? stack.use(await startGateway(platform, settings.gateway)) : undefined
  if (gateway !== undefined) failures.push(gateway.failure)
  if (wants('health')) failures.push(stack.use(await startHealth(platform, settings.health)).failure)
  // Behind health, which first writes down for how long nobody listened: silence in that time is nobody's fault.
  if (wants('policy')) failures.push(stack.use(await startPolicy(platform, settings.policy)).failure)

  const resources = stack.move()
  const failure = Promise.race(failures)
  return { gateway, query, failure, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}
