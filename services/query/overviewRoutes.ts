import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { OneQuery, PageQuery, pageMax } from '#contracts/api.ts'
import { environmentId } from '#contracts/ids.ts'
import { EnrollmentRow, TokenRow } from '#contracts/credentialRows.ts'
import { Overview } from '#contracts/rows.ts'
import { fresh, pageOf, sendDoc, sendPage, type Asked } from './answers.ts'
import { machineCounts } from './fleet.ts'
import { deployments } from './views/deployments.ts'
import { enrollments } from './views/enrollments.ts'
import { environments } from './views/environments.ts'
import { incidents } from './views/incidents.ts'
import { observationGaps } from './views/observationGaps.ts'
import { tokens } from './views/tokens.ts'
import { convergence } from './why.ts'

type App = Parameters<FastifyPluginAsyncZod>[0]
type Query = Asked['query']
const config = { scope: 'read' } as const

/** The fleet at a glance, and the credentials that were made for it. */
export const overviewRoutes =
  ({ query }: Asked): FastifyPluginAsyncZod =>
  async (app) => {
    overview(app, query)
    credentials(app, query, 'enrollments', 'List join tokens, the latest first', enrollments, EnrollmentRow)
    credentials(app, query, 'tokens', 'List API tokens, the latest first', tokens, TokenRow)
  }

const ConvergenceQuery = OneQuery.extend({
  environment: environmentId.optional(),
  limit: z.coerce.number().int().min(1).max(pageMax).default(50),
})
const Lagging = z.object({
  machineId: z.string(),
  name: z.string(),
  environmentId: z.string(),
  status: z.string(),
  projectId: z.string(),
  desired: z.string(),
  installed: z.string().nullable(),
  since: z.string(),
})

function overview(app: App, query: Query): void {
  const tags = ['overview']
  app.get(
    '/v1/overview',
    {
      config,
      schema: { tags, summary: 'Show the fleet at a glance', querystring: OneQuery, response: { 200: Overview } },
    },
    async (request, reply) => {
      await fresh(query, request.query.minPosition)
      return sendDoc(request, reply, JSON.stringify(overviewOf(query)))
    },
  )

  const summary = 'List machines that are to have another release than they have, those waiting longest first'
  app.get(
    '/v1/convergence',
    { config, schema: { tags, summary, querystring: ConvergenceQuery, response: { 200: pageOf(Lagging) } } },
    async (request, reply) => {
      const { minPosition, ...filter } = request.query
      await fresh(query, minPosition)
      const docs = convergence(query, filter).map((row) => JSON.stringify(row))
      return sendPage(reply, { docs, next: null })
    },
  )
}

function overviewOf(query: Query): Overview {
  const { all, marked } = machineCounts(query)
  return {
    machines: all,
    environments: query.tallies(environments).get('all') ?? 0,
    deployments: Object.fromEntries(query.tallies(deployments)),
    withheld: marked.withheld,
    deferred: marked.deferred,
    quarantined: marked.quarantined,
    openIncidents: sumOf(query.tallies(incidents)),
    openGaps: sumOf(query.tallies(observationGaps)),
    position: query.position,
    version: query.version,
  }
}

const sumOf = (tallies: ReadonlyMap<string, number>) => [...tallies.values()].reduce((sum, n) => sum + n, 0)

/** Nothing that opens anything is in these rows, but who may come in is for those to know who decide it. */
function credentials(
  app: App,
  query: Query,
  list: string,
  summary: string,
  view: { name: string },
  row: z.ZodType,
): void {
  app.get(
    `/v1/${list}`,
    {
      config: { scope: 'admin' },
      schema: { tags: [list], summary, querystring: PageQuery, response: { 200: pageOf(row) } },
    },
    async (request, reply) => {
      const { minPosition, ...page } = request.query
      await fresh(query, minPosition)
      return sendPage(reply, query.reader.page({ list, view, where: [], order: ['id'], descending: true, ...page }))
    },
  )
}
