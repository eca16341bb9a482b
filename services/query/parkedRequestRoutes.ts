import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { ParkedRequestRow } from '#contracts/parked.ts'
import { dismissParkedRequest, listParkedRequests } from '#libs/inbound/parked.ts'
import type { EventStore } from '#libs/store/store.ts'

const tags = ['events']
const params = z.strictObject({ number: z.coerce.number().int().positive() })
const ParkedRequests = z.object({
  items: z.array(ParkedRequestRow),
  dropped: z.number().describe('How many older ones had to make room.'),
})

/** Requests of other systems that were not carried out and of which their senders may not know. */
export const parkedRequestRoutes =
  ({ store }: { readonly store: EventStore }): FastifyPluginAsyncZod =>
  async (app) => {
    app.get(
      '/v1/parked/requests',
      {
        config: { scope: 'read' },
        schema: {
          tags,
          summary: 'List requests over the bus that could not be read, or were refused with nobody listening',
          response: { 200: ParkedRequests },
        },
      },
      () => listParkedRequests(store),
    )
    app.delete(
      '/v1/parked/requests/:number',
      {
        config: { scope: 'write' },
        schema: {
          tags,
          summary: 'Take a request off the list that a person has seen to',
          params,
          response: { 200: z.object({ dismissed: z.boolean() }) },
        },
      },
      async ({ params: { number } }) => ({ dismissed: await dismissParkedRequest(store, number) }),
    )
  }
