import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { OneAsOfQuery, OneQuery, PageAsOfQuery } from '#contracts/api.ts'
import { RemovedMachineRow } from '#contracts/fleetRows.ts'
import * as id from '#contracts/ids.ts'
import { EnvironmentPolicy } from '#contracts/policySettings.ts'
import { EnvironmentRow } from '#contracts/rows.ts'
import type { EventStore } from '#libs/store/store.ts'
import { found, fresh, pageOf, sendDoc, sendPage, type Asked } from './answers.ts'
import { fleetAsked } from './asOf/asked.ts'
import { environmentDoc, environmentPage, type Fleet } from './fleet.ts'
import { removedPage } from './removed.ts'

type App = Parameters<FastifyPluginAsyncZod>[0]
type Source = Asked & { readonly store: EventStore }
const config = { scope: 'read' } as const
const tags = ['environments']
const environment = { tags, params: z.strictObject({ id: id.environmentId }) }

/** What can be asked of environments, as they are and as they were. */
export const fleetRoutes =
  (source: Source): FastifyPluginAsyncZod =>
  async (app) => {
    environments(app, source)
    policies(app, source)
    removed(app, source)
  }

const docOf = (fleet: Fleet, name: string): string =>
  found(environmentDoc(fleet, name), 'ENVIRONMENT_UNKNOWN', `There is no environment ${name}.`)
const rowOf = (fleet: Fleet, name: string) => JSON.parse(docOf(fleet, name)) as EnvironmentRow

function environments(app: App, { query, store }: Source): void {
  const listed = { tags, summary: 'List environments', response: { 200: pageOf(EnvironmentRow) } }
  app.get('/v1/environments', { config, schema: { ...listed, querystring: PageAsOfQuery } }, async (request, reply) => {
    const fleet = await fleetAsked(query, store, reply, request.query)
    return sendPage(reply, environmentPage(fleet, request.query))
  })

  const shown = { ...environment, summary: 'Show an environment', response: { 200: EnvironmentRow } }
  app.get(
    '/v1/environments/:id',
    { config, schema: { ...shown, querystring: OneAsOfQuery } },
    async (request, reply) => {
      const fleet = await fleetAsked(query, store, reply, request.query)
      return sendDoc(request, reply, docOf(fleet, request.params.id))
    },
  )
}

function policies(app: App, { query }: Source): void {
  const summary = "Show an environment's policy; its ETag is what a change may name with If-Match"
  app.get(
    '/v1/environments/:id/policy',
    { config, schema: { ...environment, summary, querystring: OneQuery, response: { 200: EnvironmentPolicy } } },
    async (request, reply) => {
      await fresh(query, request.query.minPosition)
      const { policy, policyVersion } = rowOf(query, request.params.id)
      return sendDoc(request, reply, JSON.stringify(policy), policyVersion)
    },
  )
}

function removed(app: App, { query, store }: Source): void {
  const summary = 'List the machines that were removed lately, the latest first'
  const response = { 200: pageOf(RemovedMachineRow) }
  app.get(
    '/v1/environments/:id/removed',
    { config, schema: { ...environment, summary, querystring: PageAsOfQuery, response } },
    async (request, reply) => {
      const fleet = await fleetAsked(query, store, reply, request.query)
      const { policy } = rowOf(fleet, request.params.id)
      const keptMs = fleet.clock.wallMs() - policy.dynamicRegistration.keepRemovedMs
      const since = new Date(Math.max(0, keptMs)).toISOString()
      return sendPage(reply, removedPage(fleet, request.params.id, since, request.query))
    },
  )
}
