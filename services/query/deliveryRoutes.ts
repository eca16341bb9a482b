import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { DeploymentsQuery, OneQuery, PageQuery } from '#contracts/api.ts'
import * as id from '#contracts/ids.ts'
import { PlanQuery, PlanReply } from '#contracts/planRows.ts'
import { Process } from '#contracts/process.ts'
import { DeploymentRow, ProjectRow, ReleaseRow, TaskRow } from '#contracts/rows.ts'
import { VariableRow } from '#contracts/variableRow.ts'
import { found, fresh, pageOf, sendDoc, sendPage, type Asked } from './answers.ts'
import { deploymentDoc, deploymentPage, planOf, releasePage, targetsListedMax, taskPage } from './delivery.ts'
import { deployments as kept } from './views/deployments.ts'
import { projects } from './views/projects.ts'

type App = Parameters<FastifyPluginAsyncZod>[0]
type Query = Asked['query']
const config = { scope: 'read' } as const
const project = { tags: ['projects'], params: z.strictObject({ id: id.projectId }) }
const VariablesReply = z.object({ variables: z.array(VariableRow).readonly() })
const deployment = { tags: ['deployments'], params: z.strictObject({ id: id.deploymentId }) }

/** What can be asked of projects, releases and deployments. */
export const deliveryRoutes =
  ({ query }: Asked): FastifyPluginAsyncZod =>
  async (app) => {
    projectList(app, query)
    projectParts(app, query)
    deployments(app, query)
    deploymentParts(app, query)
  }

const foundProject = ({ reader }: Query, name: string): string =>
  found(reader.one(projects, name)?.doc, 'PROJECT_UNKNOWN', `There is no project ${name}.`)
const foundDeployment = (doc: string | undefined, name: string): string =>
  found(doc, 'DEPLOYMENT_UNKNOWN', `There is no deployment ${name}.`)

function projectList(app: App, query: Query): void {
  app.get(
    '/v1/projects',
    {
      config,
      schema: {
        tags: project.tags,
        summary: 'List projects',
        querystring: PageQuery,
        response: { 200: pageOf(ProjectRow) },
      },
    },
    async (request, reply) => {
      const { minPosition, ...page } = request.query
      await fresh(query, minPosition)
      return sendPage(
        reply,
        query.reader.page({ list: 'projects', view: projects, where: [], order: ['key'], ...page }),
      )
    },
  )

  app.get(
    '/v1/projects/:id',
    { config, schema: { ...project, summary: 'Show a project', querystring: OneQuery, response: { 200: ProjectRow } } },
    async (request, reply) => {
      await fresh(query, request.query.minPosition)
      return sendDoc(request, reply, foundProject(query, request.params.id))
    },
  )
}

function projectParts(app: App, query: Query): void {
  const summary = "Show a project's process; its ETag is what a change may name with If-Match"
  app.get(
    '/v1/projects/:id/process',
    { config, schema: { ...project, summary, querystring: OneQuery, response: { 200: Process } } },
    async (request, reply) => {
      await fresh(query, request.query.minPosition)
      const { process, processVersion } = JSON.parse(foundProject(query, request.params.id)) as ProjectRow
      return sendDoc(request, reply, JSON.stringify(process), processVersion)
    },
  )

  const variables = "Show a project's variables; their ETag is what a change may name with If-Match"
  app.get(
    '/v1/projects/:id/variables',
    { config, schema: { ...project, summary: variables, querystring: OneQuery, response: { 200: VariablesReply } } },
    async (request, reply) => {
      await fresh(query, request.query.minPosition)
      const { variables, variablesVersion } = JSON.parse(foundProject(query, request.params.id)) as ProjectRow
      return sendDoc(request, reply, JSON.stringify({ variables }), variablesVersion)
    },
  )

  app.get(
    '/v1/projects/:id/releases',
    {
      config,
      schema: {
        ...project,
        summary: "List a project's releases, the latest first",
        querystring: PageQuery,
        response: { 200: pageOf(ReleaseRow) },
      },
    },
    async (request, reply) => {
      const { minPosition, ...page } = request.query
      await fresh(query, minPosition)
      foundProject(query, request.params.id)
      return sendPage(reply, releasePage(query, request.params.id, page))
    },
  )
}

function deployments(app: App, query: Query): void {
  app.get(
    '/v1/deployments',
    {
      config,
      schema: {
        tags: deployment.tags,
        summary: `List deployments, the latest first, each with its first ${targetsListedMax} targets`,
        querystring: DeploymentsQuery,
        response: { 200: pageOf(DeploymentRow) },
      },
    },
    async (request, reply) => {
      const { minPosition, ...filter } = request.query
      await fresh(query, minPosition)
      return sendPage(reply, deploymentPage(query, filter))
    },
  )

  app.get(
    '/v1/deployments/:id',
    {
      config,
      schema: { ...deployment, summary: 'Show a deployment', querystring: OneQuery, response: { 200: DeploymentRow } },
    },
    async (request, reply) => {
      await fresh(query, request.query.minPosition)
      const doc = deploymentDoc(query, request.params.id)
      return sendDoc(request, reply, foundDeployment(doc, request.params.id))
    },
  )
}

function deploymentParts(app: App, query: Query): void {
  app.get(
    '/v1/deployments/:id/tasks',
    {
      config,
      schema: {
        ...deployment,
        summary: "List a deployment's tasks, in the order in which they were handed out",
        querystring: PageQuery,
        response: { 200: pageOf(TaskRow) },
      },
    },
    async (request, reply) => {
      const { minPosition, ...page } = request.query
      await fresh(query, minPosition)
      foundDeployment(query.reader.one(kept, request.params.id)?.doc, request.params.id)
      return sendPage(reply, taskPage(query, request.params.id, page))
    },
  )

  const summary = "Show a deployment's plan as it stands, or as it stood, with what changed it and why"
  app.get(
    '/v1/deployments/:id/plan',
    { config, schema: { ...deployment, summary, querystring: PlanQuery, response: { 200: PlanReply.loose() } } },
    async (request, reply) => {
      const { minPosition, ...asked } = request.query
      await fresh(query, minPosition)
      const plan = planOf(query, request.params.id, asked)
      return sendDoc(request, reply, foundDeployment(plan && JSON.stringify(plan), request.params.id))
    },
  )
}
