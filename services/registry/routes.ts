import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import type { Ask } from '#libs/ask.ts'
import type { Clock } from '#libs/clock.ts'
import { enrollmentRoutes } from './enrollment/routes.ts'
import { environmentRoutes } from './environment/routes.ts'
import { machineRoutes } from './machine/routes.ts'
import { tokenRoutes } from './token/routes.ts'

export interface RouteOptions {
  readonly ask: Ask
  readonly clock: Clock
}

/** Everything under /v1 that changes the registry. */
export const registryRoutes =
  (options: RouteOptions): FastifyPluginAsyncZod =>
  async (app) => {
    await app.register(environmentRoutes(options))
    await app.register(machineRoutes(options))
    await app.register(enrollmentRoutes(options))
    await app.register(tokenRoutes(options))
  }
