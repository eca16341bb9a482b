import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { MachinesQuery, OneAsOfQuery, OneQuery, PageQuery } from '#contracts/api.ts'
import { Link, MachineDetail, Silence } from '#contracts/fleetRows.ts'
import * as id from '#contracts/ids.ts'
import { EventRow } from '#contracts/eventRow.ts'
import { MachineRow } from '#contracts/rows.ts'
import type { Ask } from '#libs/ask.ts'
import { causeOf } from '#libs/http/answer.ts'
import type { EventStore } from '#libs/store/store.ts'
import { found, fresh, pageOf, sendDoc, sendPage, withFields, type Asked } from './answers.ts'
import { fleetAsked } from './asOf/asked.ts'
import { chainOf } from './chain.ts'
import { machineHistory } from './events.ts'
import { machinePage, machineRow, type Fleet } from './fleet.ts'
import { askAboutRemoval, RemovalNow } from './removalNow.ts'
import { silenceOf } from './silence.ts'
import { explain } from './why.ts'

type App = Parameters<FastifyPluginAsyncZod>[0]
type Source = Asked & { readonly store: EventStore; readonly ask: Ask }
const config = { scope: 'read' } as const
const tags = ['machines']
const machine = { tags, params: z.strictObject({ id: id.machineId }) }

/** What can be asked of machines: how they are, how they were, what happened to them, and why. */
export const machineRoutes =
  (source: Source): FastifyPluginAsyncZod =>
  async (app) => {
    machines(app, source)
    history(app, source)
    explanation(app, source)
  }

const foundMachine = (fleet: Fleet, name: string) =>
  found(machineRow(fleet, name), 'MACHINE_UNKNOWN', `There is no machine ${name}.`)

function machines(app: App, { query, store }: Source): void {
  const listed = { tags, summary: 'List registered machines', response: { 200: pageOf(MachineRow) } }
  app.get('/v1/machines', { config, schema: { ...listed, querystring: MachinesQuery } }, async (request, reply) => {
    const fleet = await fleetAsked(query, store, reply, request.query)
    return sendPage(reply, machinePage(fleet, request.query))
  })

  const shown = { ...machine, summary: 'Show a machine, also a removed one', response: { 200: MachineDetail } }
  app.get('/v1/machines/:id', { config, schema: { ...shown, querystring: OneAsOfQuery } }, async (request, reply) => {
    const fleet = await fleetAsked(query, store, reply, request.query)
    const { doc, row } = foundMachine(fleet, request.params.id)
    return sendDoc(request, reply, withFields(doc, { silence: JSON.stringify(silenceOf(fleet, row)) }))
  })
}

function history(app: App, { query, store }: Source): void {
  const summary = 'List all that happened to a machine, the latest first'
  app.get(
    '/v1/machines/:id/history',
    { config, schema: { ...machine, summary, querystring: PageQuery, response: { 200: pageOf(EventRow) } } },
    async (request, reply) => {
      const { minPosition, ...page } = request.query
      await fresh(query, minPosition)
      foundMachine(query, request.params.id)
      const { items, next } = await machineHistory(query, store, request.params.id, page)
      return sendPage(reply, { docs: items.map((row) => JSON.stringify(row)), next })
    },
  )
}

const ExplainQuery = OneQuery.extend({ project: id.projectId.optional() })
const Explained = z.looseObject({
  machineId: z.string(),
  state: z.array(z.string()),
  silence: Silence.nullable(),
  removalNow: RemovalNow,
  chain: z.array(Link),
  projects: z.array(z.looseObject({})),
})

function explanation(app: App, { query, store, ask }: Source): void {
  const summary = 'Explain why a machine is as it is, and why it has or has not the releases it should have'
  app.get(
    '/v1/machines/:id/explain',
    { config, schema: { ...machine, summary, querystring: ExplainQuery, response: { 200: Explained } } },
    async (request, reply) => {
      const { minPosition, project } = request.query
      await fresh(query, minPosition)
      const { id: machineId } = request.params
      foundMachine(query, machineId)
      const removalNow = await askAboutRemoval(ask, query.clock, machineId, causeOf(request))
      const chain = await chainOf(query, store, machineId)
      const why = explain(query, machineId, project)
      return sendDoc(request, reply, JSON.stringify({ ...why, removalNow, chain }))
    },
  )
}
