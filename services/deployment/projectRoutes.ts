import { z } from 'zod'
import * as api from '#contracts/api.ts'
import * as id from '#contracts/ids.ts'
import type { ProjectCommand, ReleaseCommand } from '#contracts/project.ts'
import type { Ask } from '#libs/ask.ts'
import { causeOf, sendAnswer } from '#libs/http/answer.ts'
import type { Http } from '#libs/http/http.ts'
import { versionOf } from '#libs/http/ifMatch.ts'
import { variableRoutes, type VariableRouteOptions } from './variableRoutes.ts'

const params = z.strictObject({ id: id.projectId })
const overrideParams = z.strictObject({ id: id.projectId, env: id.environmentId })
const tags = ['projects']
const config = { scope: 'write' } as const
const versioned = { ...config, versioned: true } as const
const ok = { 200: api.AcceptedReply }
const made = { 201: api.AcceptedReply }

type Send = (command: ProjectCommand | ReleaseCommand, request: Parameters<typeof causeOf>[0]) => ReturnType<Ask>

/** What can be asked of projects and their releases. */
export const projectRoutes =
  ({ ask, vault }: VariableRouteOptions) =>
  async (app: Http): Promise<void> => {
    const send: Send = (command, request) => ask('deployment', command, causeOf(request))
    addCreation(app, send)
    addProcess(app, send)
    await app.register(variableRoutes({ ask, vault }))
    addOverride(app, send)
    addReleases(app, send)
  }

function addCreation(app: Http, send: Send): void {
  app.post(
    '/v1/projects',
    { config, schema: { tags, summary: 'Create a project', body: api.CreateProjectBody, response: made } },
    async (request, reply) => {
      const { id: projectId, name = projectId } = request.body
      sendAnswer(reply, await send({ type: 'CreateProject', data: { projectId, name } }, request), { status: 201 })
      return reply
    },
  )
  app.put(
    '/v1/projects/:id',
    { config, schema: { tags, summary: 'Rename a project', params, body: api.PutProjectBody, response: ok } },
    async (request, reply) => {
      const data = { projectId: request.params.id, name: request.body.name }
      sendAnswer(reply, await send({ type: 'RenameProject', data }, request))
      return reply
    },
  )
}

function addProcess(app: Http, send: Send): void {
  const summary = 'Replace the steps of a project'
  const description = 'With If-Match, only when the process still has that version.'
  app.put(
    '/v1/projects/:id/process',
    { config: versioned, schema: { tags, summary, description, params, body: api.PutProcessBody, response: ok } },
    async (request, reply) => {
      const expectedVersion = versionOf(request.headers['if-match'])
      const data = { projectId: request.params.id, process: request.body, expectedVersion }
      sendAnswer(reply, await send({ type: 'ChangeProcess', data }, request))
      return reply
    },
  )
}

function addOverride(app: Http, send: Send): void {
  const summary = 'Pin the release that machines of an environment should have'
  app.put(
    '/v1/projects/:id/environments/:env/override',
    { config, schema: { tags, summary, params: overrideParams, body: api.PutOverrideBody, response: ok } },
    async (request, reply) => {
      const { id: projectId, env: environmentId } = request.params
      const data = { projectId, environmentId, ...request.body }
      sendAnswer(reply, await send({ type: 'SetReleaseOverride', data }, request))
      return reply
    },
  )
}

function addReleases(app: Http, send: Send): void {
  const summary = 'Create a release: a snapshot of the process and variables as they are now'
  app.post(
    '/v1/projects/:id/releases',
    { config, schema: { tags, summary, params, body: api.CreateReleaseBody, response: made } },
    async (request, reply) => {
      const data = { projectId: request.params.id, ...request.body }
      sendAnswer(reply, await send({ type: 'CreateRelease', data }, request), { status: 201 })
      return reply
    },
  )
}
