import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { MachinesQuery, OneQuery, PageQuery } from '#contracts/api.ts'
import * as id from '#contracts/ids.ts'
import { EnvironmentPolicy } from '#contracts/policySettings.ts'
import { EnvironmentRow, EventRow, MachineRow } from '#contracts/rows.ts'
import type { EventStore } from '#libs/store/store.ts'
import { found, fresh, pageOf, sendDoc, sendPage, type Asked } from './answers.ts'
import { machineHistory } from './events.ts'
import { environmentDoc, environmentPage, machinePage, machineRow, removedPage } from './fleet.ts'
import { explain } from './why.ts'

type App = Parameters<FastifyPluginAsyncZod>[0]
const config = { scope: 'read' } as const
const environment = { tags: ['environments'], params: z.strictObject({ id: id.environmentId }) }
const machine = { tags: ['machines'], params: z.strictObject({ id: id.machineId }) }

/** What can be asked of environments and machines. */
export const fleetRoutes =
  ({ query, store }: Asked & { readonly store: EventStore }): FastifyPluginAsyncZod =>
  async (app) => {
    environments(app, query)
    environmentParts(app, query)
    machines(app, query)
    machineStory(app, query, store)
  }

const noEnvironment = (name: string) => `There is no environment ${name}.`
const noMachine = (name: string) => `There is no machine ${name}.`
const foundEnvironment = (query: Asked['query'], name: string): EnvironmentRow =>
  JSON.parse(found(environmentDoc(query, name), 'ENVIRONMENT_UNKNOWN', noEnvironment(name))) as EnvironmentRow

function environments(app: App, query: Asked['query']): void {
  app.get(
    '/v1/environments',
    {
      config,
      schema: {
        tags: environment.tags,
        summary: 'List environments',
        querystring: PageQuery,
        response: { 200: pageOf(EnvironmentRow) },
      },
    },
    async (request, reply) => {
      const { minPosition, ...page } = request.query
      await fresh(query, minPosition)
      return sendPage(reply, environmentPage(query, page))
    },
  )

  app.get(
    '/v1/environments/:id',
    {
      config,
      schema: {
        ...environment,
        summary: 'Show an environment',
        querystring: OneQuery,
        response: { 200: EnvironmentRow },
      },
    },
    async (request, reply) => {
      await fresh(query, request.query.minPosition)
      const doc = environmentDoc(query, request.params.id)
      return sendDoc(request, reply, found(doc, 'ENVIRONMENT_UNKNOWN', noEnvironment(request.params.id)))
    },
  )
}

function environmentParts(app: App, query: Asked['query']): void {
  const summary = "Show an environment's policy; its ETag is what a change may name with If-Match"
  app.get(
    '/v1/environments/:id/policy',
    { config, schema: { ...environment, summary, querystring: OneQuery, response: { 200: EnvironmentPolicy } } },
    async (request, reply) => {
      await fresh(query, request.query.minPosition)
      const { policy, policyVersion } = foundEnvironment(query, request.params.id)
      return sendDoc(request, reply, JSON.stringify(policy), policyVersion)
    },
  )

  app.get(
    '/v1/environments/:id/removed',
    {
      config,
      schema: {
        ...environment,
        summary: 'List the machines that were removed lately, the latest first',
        querystring: PageQuery,
        response: { 200: pageOf(MachineRow) },
      },
    },
    async (request, reply) => {
      const { minPosition, ...page } = request.query
      await fresh(query, minPosition)
      const { policy } = foundEnvironment(query, request.params.id)
      const keptMs = query.clock.wallMs() - policy.dynamicRegistration.keepRemovedMs
      const since = new Date(Math.max(0, keptMs)).toISOString()
      return sendPage(reply, removedPage(query, request.params.id, since, page))
    },
  )
}

function machines(app: App, query: Asked['query']): void {
  app.get(
    '/v1/machines',
    {
      config,
      schema: {
        tags: machine.tags,
        summary: 'List registered machines',
        querystring: MachinesQuery,
        response: { 200: pageOf(MachineRow) },
      },
    },
    async (request, reply) => {
      const { minPosition, ...filter } = request.query
      await fresh(query, minPosition)
      return sendPage(reply, machinePage(query, filter))
    },
  )

  app.get(
    '/v1/machines/:id',
    {
      config,
      schema: {
        ...machine,
        summary: 'Show a machine, also a removed one',
        querystring: OneQuery,
        response: { 200: MachineRow },
      },
    },
    async (request, reply) => {
      await fresh(query, request.query.minPosition)
      const { doc } = found(machineRow(query, request.params.id), 'MACHINE_UNKNOWN', noMachine(request.params.id))
      return sendDoc(request, reply, doc)
    },
  )
}

const ExplainQuery = OneQuery.extend({ project: id.projectId.optional() })
const explained = z.looseObject({
  machineId: z.string(),
  state: z.array(z.string()),
  projects: z.array(z.looseObject({})),
})

function machineStory(app: App, query: Asked['query'], store: EventStore): void {
  app.get(
    '/v1/machines/:id/history',
    {
      config,
      schema: {
        ...machine,
        summary: 'List all that happened to a machine, the latest first',
        querystring: PageQuery,
        response: { 200: pageOf(EventRow) },
      },
    },
    async (request, reply) => {
      const { minPosition, ...page } = request.query
      await fresh(query, minPosition)
      found(machineRow(query, request.params.id), 'MACHINE_UNKNOWN', noMachine(request.params.id))
      const { items, next } = await machineHistory(query, store, request.params.id, page)
      return sendPage(reply, { docs: items.map((row) => JSON.stringify(row)), next })
    },
  )

  const summary = 'Explain why a machine is as it is, and why it has or has not the releases it should have'
  app.get(
    '/v1/machines/:id/explain',
    { config, schema: { ...machine, summary, querystring: ExplainQuery, response: { 200: explained } } },
    async (request, reply) => {
      const { minPosition, project } = request.query
      await fresh(query, minPosition)
      const why = found(explain(query, request.params.id, project), 'MACHINE_UNKNOWN', noMachine(request.params.id))
      return sendDoc(request, reply, JSON.stringify(why))
    },
  )
}
