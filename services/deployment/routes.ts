import { z } from 'zod'
import * as api from '#contracts/api.ts'
import type { DeploymentCommand } from '#contracts/deployment.ts'
import * as id from '#contracts/ids.ts'
import type { Ask } from '#libs/ask.ts'
import { refuse } from '#libs/decider.ts'
import { causeOf, sendAnswer, sendRefusal } from '#libs/http/answer.ts'
import { permits } from '#libs/http/guard.ts'
import type { Http } from '#libs/http/http.ts'
import { uuidOf } from '#libs/ids.ts'
import { projectRoutes } from './projectRoutes.ts'
import { templateRoutes } from './templateRoutes.ts'
import type { VariableRouteOptions } from './variableRoutes.ts'

const params = z.strictObject({ id: id.deploymentId })
const tags = ['deployments']
const config = { scope: 'write' } as const
const ok = { 200: api.AcceptedReply }
const taken = { 202: api.AcceptedReply }

type Send = (command: DeploymentCommand, request: Parameters<typeof causeOf>[0]) => ReturnType<Ask>

/** What can be asked of projects, releases, step templates and deployments: bodies in, commands out, answers back. */
export const deploymentRoutes =
  ({ ask, vault }: VariableRouteOptions) =>
  async (app: Http): Promise<void> => {
    await app.register(projectRoutes({ ask, vault }))
    await app.register(templateRoutes({ ask }))
    const send: Send = (command, request) => ask('deployment', command, causeOf(request))
    addCreation(app, ask)
    const retry = 'Deploy again to the targets on which it did not succeed'
    addOnceMore(app, ask, 'retry', retry, (data) => ({ type: 'RetryDeployment', data }))
    const redeploy = 'Deploy the same release again, with the same restrictions'
    addOnceMore(app, ask, 'redeploy', redeploy, (data) => ({ type: 'RedeployDeployment', data }))
    addCancel(app, send)
    const exclude = 'Keep a machine out of a deployment, whatever is evaluated later'
    addTarget(app, send, 'exclude', exclude, (data) => ({ type: 'ExcludeTarget', data }))
    const include = 'Take a machine in again that a person kept out, or that left for a reason that is over'
    addTarget(app, send, 'include', include, (data) => ({ type: 'IncludeTarget', data }))
    addDecide(app, send)
  }

function addCreation(app: Http, ask: Ask): void {
  const summary = 'Deploy a release to an environment: to all machines it is for, or to named ones'
  app.post(
    '/v1/deployments',
    { config, schema: { tags, summary, body: api.CreateDeploymentBody, response: taken } },
    async (request, reply) => {
      const { projectId, version, environmentId, machines, ...options } = request.body
      if (options.ignoreFreeze !== undefined && !permits(request.principal?.scopes ?? [], 'admin'))
        return sendRefusal(reply, refuse('PERMISSION_DENIED', 'To ignore a freeze needs the scope admin.'))
      const cause = causeOf(request)
      const about = { projectId, version, environmentId, kind: 'release', machineIds: machines ?? null } as const
      const data = { deploymentId: uuidOf(cause.commandId), ...about, ...options }
      sendAnswer(reply, await ask('deployment', { type: 'CreateDeployment', data }, cause), { status: 202 })
      return reply
    },
  )
}

type OnceMore = Extract<DeploymentCommand, { type: 'RetryDeployment' | 'RedeployDeployment' }>

function addOnceMore(app: Http, ask: Ask, verb: string, summary: string, of: (data: OnceMore['data']) => OnceMore) {
  app.post(
    `/v1/deployments/:id/${verb}`,
    { config, schema: { tags, summary, params, body: z.strictObject({}).optional(), response: taken } },
    async (request, reply) => {
      const cause = causeOf(request)
      const command = of({ deploymentId: request.params.id, newDeploymentId: uuidOf(cause.commandId) })
      sendAnswer(reply, await ask('deployment', command, cause), { status: 202 })
      return reply
    },
  )
}

function addCancel(app: Http, send: Send): void {
  app.post(
    '/v1/deployments/:id/cancel',
    { config, schema: { tags, summary: 'Cancel a deployment', params, body: api.ReasonBody, response: taken } },
    async (request, reply) => {
      const data = { deploymentId: request.params.id, reason: request.body.reason }
      sendAnswer(reply, await send({ type: 'CancelDeployment', data }, request), { status: 202 })
      return reply
    },
  )
}

type OfTarget = Extract<DeploymentCommand, { type: 'ExcludeTarget' | 'IncludeTarget' }>

function addTarget(app: Http, send: Send, verb: string, summary: string, of: (data: OfTarget['data']) => OfTarget) {
  app.post(
    `/v1/deployments/:id/${verb}`,
    { config, schema: { tags, summary, params, body: api.TargetBody, response: ok } },
    async (request, reply) => {
      const data = { deploymentId: request.params.id, ...request.body }
      sendAnswer(reply, await send(of(data), request))
      return reply
    },
  )
}

function addDecide(app: Http, send: Send): void {
  const summary = 'Decide what a deployment waits for: an approval, or what becomes of a target that failed'
  app.post(
    '/v1/deployments/:id/decide',
    { config, schema: { tags, summary, params, body: api.DecideBody, response: ok } },
    async (request, reply) => {
      const data = { deploymentId: request.params.id, ...request.body }
      sendAnswer(reply, await send({ type: 'DecideDeployment', data }, request))
      return reply
    },
  )
}
