import type { Http } from '#libs/http/http.ts'
import type { Platform } from '#libs/platform.ts'
import type { Vault } from '#libs/vault/vault.ts'
import { consoleRoutes } from './console/static.ts'
import { deploymentRoutes } from './deployment/routes.ts'
import { packageRoutes, type PackageRouteOptions } from './deployment/packageRoutes.ts'
import { agentPackageRoutes } from './gateway/packageRoutes.ts'
import { gatewayRoutes } from './gateway/routes.ts'
import { healthRoutes } from './health/routes.ts'
import { providerRoutes } from './policy/provider/routes.ts'
import { webhookRoutes } from './notify/routes.ts'
import { policyRoutes } from './policy/routes.ts'
import { packageQueryRoutes } from './query/packageRoutes.ts'
import { queryRoutes } from './query/routes.ts'
import { registryRoutes } from './registry/routes.ts'
import type { Services } from './start.ts'

/** Where the bytes of packages are, and how many may come. */
export type PackageStorage = Omit<PackageRouteOptions, 'ask'>

/** What is kept beside the store. */
export interface Storage {
  readonly packages: PackageStorage
  readonly vault?: Vault
}

/**
 * The one front door: every service's routes, whether the service runs in this process or elsewhere, since a route
 * only asks over the bus. What needs the service at hand is mounted where it is.
 */
export async function mountRoutes(
  app: Http,
  platform: Platform,
  { gateway, query }: Services,
  { packages, vault }: Storage,
): Promise<void> {
  const { ask, clock } = platform
  await app.register(registryRoutes({ ask, clock }))
  await app.register(healthRoutes({ ask }))
  await app.register(policyRoutes({ ask }))
  await app.register(providerRoutes({ ask }))
  await app.register(deploymentRoutes({ ask, vault }))
  await app.register(webhookRoutes({ ask, clock, vault }))
  await app.register(packageRoutes({ ask, ...packages }))
  await app.register(gatewayRoutes({ ask, ...(gateway === undefined ? {} : { gateway }) }))
  const { blobs, limits } = packages
  const sending = { blobs, sendMs: limits.uploadMs }
  if (gateway !== undefined) await app.register(agentPackageRoutes({ gateway, ...sending }))
  if (query === undefined) return
  await app.register(packageQueryRoutes({ query, ...sending }))
  await app.register(queryRoutes({ query, store: platform.store, bus: platform.bus, ask }))
  await app.register(consoleRoutes)
}
