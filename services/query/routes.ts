import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import type { Ask } from '#libs/ask.ts'
import type { Bus } from '#libs/bus/bus.ts'
import type { EventStore } from '#libs/store/store.ts'
import type { Asked } from './answers.ts'
import { eventsBehind } from './behind.ts'
import { deliveryRoutes } from './deliveryRoutes.ts'
import { eventRoutes } from './eventRoutes.ts'
import { fleetRoutes } from './fleetRoutes.ts'
import { incidentRoutes } from './incidentRoutes.ts'
import { logRoutes } from './logRoutes.ts'
import { machineRoutes } from './machineRoutes.ts'
import { overviewRoutes } from './overviewRoutes.ts'
import { parkedRequestRoutes } from './parkedRequestRoutes.ts'
import { parkedRoutes } from './parkedRoutes.ts'
import { templateQueryRoutes } from './templateRoutes.ts'
import { webhookQueryRoutes } from './webhookRoutes.ts'

/** So many events may be missing before this process says that it is not ready to answer. */
const behindMax = 10_000

type Source = Asked & { readonly store: EventStore; readonly bus: Bus; readonly ask: Ask }

/** Everything under /v1 that can be asked. Needs the read model of this process. */
export const queryRoutes =
  ({ query, store, bus, ask }: Source): FastifyPluginAsyncZod =>
  async (app) => {
    app.vitals.addReadiness('query', async () => {
      const behind = await eventsBehind(store, query.position, behindMax)
      return behind > behindMax ? `the read model is ${behind} events behind` : null
    })
    await app.register(fleetRoutes({ query, store }))
    await app.register(machineRoutes({ query, store, ask }))
    await app.register(incidentRoutes({ query }))
    await app.register(deliveryRoutes({ query }))
    await app.register(templateQueryRoutes({ query }))
    await app.register(overviewRoutes({ query }))
    await app.register(eventRoutes({ query, store }))
    await app.register(logRoutes({ query, store }))
    await app.register(parkedRoutes({ store, bus }))
    await app.register(parkedRequestRoutes({ store }))
    await app.register(webhookQueryRoutes({ query }))
  }
