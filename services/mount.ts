import type { Http } from '#libs/http/http.ts'
import type { Platform } from '#libs/platform.ts'
import { consoleRoutes } from './console/static.ts'
import { deploymentRoutes } from './deployment/routes.ts'
import { gatewayRoutes } from './gateway/routes.ts'
import { healthRoutes } from './health/routes.ts'
import { policyRoutes } from './policy/routes.ts'
import { queryRoutes } from './query/routes.ts'
import { registryRoutes } from './registry/routes.ts'
import type { Services } from './start.ts'

/**
 * The one front door: every service's routes, whether the service runs in this process or elsewhere, since a route
 * only asks over the bus. What needs the service at hand is mounted where it is.
 */
export async function mountRoutes(app: Http, platform: Platform, { gateway, query }: Services): Promise<void> {
  const { ask, clock } = platform
  await app.register(registryRoutes({ ask, clock }))
  await app.register(healthRoutes({ ask }))
  await app.register(policyRoutes({ ask }))
  await app.register(deploymentRoutes({ ask }))
  await app.register(gatewayRoutes({ ask, ...(gateway === undefined ? {} : { gateway }) }))
  if (query === undefined) return
  await app.register(queryRoutes({ query, store: platform.store, bus: platform.bus, ask }))
  await app.register(consoleRoutes)
}
