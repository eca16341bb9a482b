import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { parkedRetrySubject } from '#contracts/subjects.ts'
import type { Bus } from '#libs/bus/bus.ts'
import { refuse } from '#libs/decider.ts'
import { sendRefusal } from '#libs/http/answer.ts'
import { isParkedRequest } from '#libs/inbound/parked.ts'
import type { EventStore } from '#libs/store/store.ts'

const tags = ['events']
const ParkedRow = z.object({
  reactor: z.string(),
  position: z.number(),
  stream: z.string(),
  type: z.string(),
  reason: z.string(),
  attempts: z.number(),
  parkedAt: z.string(),
})
const params = z.strictObject({ reactor: z.string().max(100), position: z.coerce.number().int().positive() })

/** Events that could not be acted upon: each is one thing that did not happen, so a person sees it and may try it again. */
export const parkedRoutes =
  ({ store, bus }: { readonly store: EventStore; readonly bus: Bus }): FastifyPluginAsyncZod =>
  async (app) => {
    app.get(
      '/v1/parked',
      {
        config: { scope: 'read' },
        schema: {
          tags,
          summary: 'List events that could not be acted upon',
          response: { 200: z.object({ items: z.array(ParkedRow) }) },
        },
      },
      async () => {
        const parked = (await store.listParked()).filter((one) => !isParkedRequest(one))
        return { items: parked.map((one) => ({ ...one, parkedAt: new Date(one.parkedAt).toISOString() })) }
      },
    )
    app.post(
      '/v1/parked/:reactor/:position/retry',
      {
        config: { scope: 'write' },
        schema: {
          tags,
          summary: 'Try again to act upon an event that was set aside',
          params,
          body: z.strictObject({}).optional(),
          response: { 200: z.object({ settled: z.boolean() }) },
        },
      },
      async (request, reply) => {
        const { reactor, position } = request.params
        const parked = await store.listParked()
        if (!parked.some((one) => one.reactor === reactor && one.position === position && !isParkedRequest(one)))
          return sendRefusal(
            reply,
            refuse('PARKED_UNKNOWN', `${reactor} has set aside nothing at position ${position}`),
          )
        return { settled: (await bus.request(parkedRetrySubject(reactor), { position })) === true }
      },
    )
  }
