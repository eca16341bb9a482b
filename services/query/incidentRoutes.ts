import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { IncidentsQuery, OneQuery, PageQuery } from '#contracts/api.ts'
import { IncidentRow, ObservationGapRow } from '#contracts/fleetRows.ts'
import { found, fresh, pageOf, sendDoc, sendPage, type Asked } from './answers.ts'
import { incidents } from './views/incidents.ts'
import { observationGaps } from './views/observationGaps.ts'

const config = { scope: 'read' } as const
const tags = ['incidents']
const params = z.strictObject({ id: z.string().min(1).max(100) })

/** What went wrong with many machines at once, and when nobody looked. */
export const incidentRoutes =
  ({ query }: Asked): FastifyPluginAsyncZod =>
  async (app) => {
    app.get(
      '/v1/incidents',
      {
        config,
        schema: {
          tags,
          summary: 'List mass failures, the latest first',
          querystring: IncidentsQuery,
          response: { 200: pageOf(IncidentRow) },
        },
      },
      async (request, reply) => {
        const { minPosition, environment, state, ...page } = request.query
        await fresh(query, minPosition)
        const where = [
          environment === undefined ? undefined : (['environmentId = ?', environment] as const),
          state === undefined ? undefined : (['state = ?', state] as const),
        ]
        const order = ['detectedAt', 'key']
        const listed = query.reader.page({
          list: 'incidents',
          view: incidents,
          where,
          order,
          descending: true,
          ...page,
        })
        return sendPage(reply, listed)
      },
    )

    app.get(
      '/v1/incidents/:id',
      {
        config,
        schema: { tags, summary: 'Show a mass failure', params, querystring: OneQuery, response: { 200: IncidentRow } },
      },
      async (request, reply) => {
        await fresh(query, request.query.minPosition)
        const { id } = request.params
        const row = found(query.reader.one(incidents, id), 'INCIDENT_UNKNOWN', `There is no incident ${id}.`)
        return sendDoc(request, reply, row.doc)
      },
    )

    const summary = 'List the times in which machines were not observed, the latest first'
    app.get(
      '/v1/observation-gaps',
      { config, schema: { tags, summary, querystring: PageQuery, response: { 200: pageOf(ObservationGapRow) } } },
      async (request, reply) => {
        const { minPosition, ...page } = request.query
        await fresh(query, minPosition)
        const order = ['startedAt', 'key']
        const list = 'observation-gaps'
        return sendPage(
          reply,
          query.reader.page({ list, view: observationGaps, where: [], order, descending: true, ...page }),
        )
      },
    )
  }
