import type { FastifyReply } from 'fastify'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { EventsQuery } from '#contracts/api.ts'
import { EventRow } from '#contracts/eventRow.ts'
import type { EventStream } from '#libs/http/sse.ts'
import type { EventStore } from '#libs/store/store.ts'
import { pageOf, sendPage, type Asked } from './answers.ts'
import { eventPage } from './events.ts'
import { eventRow, matches, type EventFilter } from './eventRow.ts'
import { drained, openStream, resumedAt } from './streaming.ts'

const config = { scope: 'read' } as const
const tags = ['events']
const StreamQuery = EventsQuery.omit({ limit: true, after: true }).extend({
  after: z.coerce.number().int().nonnegative().optional(),
})

/** The log itself, as pages and as a stream. */
export const eventRoutes =
  ({ query, store }: Asked & { readonly store: EventStore }): FastifyPluginAsyncZod =>
  async (app) => {
    const summary = 'List events in the order of the log, behind a position; `next` is the position to go on from'
    app.get(
      '/v1/events',
      { config, schema: { tags, summary, querystring: EventsQuery, response: { 200: pageOf(EventRow) } } },
      async (request, reply) => {
        const { items, next } = await eventPage(store, request.query)
        return sendPage(reply, { docs: items.map((row) => JSON.stringify(row)), next })
      },
    )

    app.get(
      '/v1/events/stream',
      {
        config,
        schema: {
          tags,
          summary: 'Follow events as they happen (server-sent events); Last-Event-ID resumes',
          querystring: StreamQuery,
          response: { 200: z.string() },
        },
      },
      async (request, reply) => {
        const stream = openStream(request, reply)
        const { after = query.tail.position, ...filter } = request.query
        void tell(query, reply, stream, resumedAt(stream, after), filter)
        return reply
      },
    )
  }

async function tell(
  query: Asked['query'],
  reply: FastifyReply,
  stream: EventStream,
  begin: number,
  filter: EventFilter,
) {
  try {
    for (let after = begin; !stream.ended.aborted;) {
      const events = await query.tail.next(after, stream.ended)
      for (const event of events) {
        after = event.meta.position
        if (!matches(filter, event)) continue
        stream.send({ id: after, data: eventRow(event) })
        await drained(reply, stream)
      }
    }
  } catch (error) {
    query.log.error({ err: error }, 'a stream of events ended early')
    stream.end()
  }
}
