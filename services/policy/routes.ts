import { z } from 'zod'
import * as api from '#contracts/api.ts'
import * as id from '#contracts/ids.ts'
import type { Ask } from '#libs/ask.ts'
import { causeOf, sendAnswer } from '#libs/http/answer.ts'
import type { Http } from '#libs/http/http.ts'
import { questionRoutes } from './questionRoutes.ts'

const params = z.strictObject({ id: id.environmentId })
const decisionParams = params.extend({ decisionId: id.decisionId })
const circuitParams = z.strictObject({ id: id.projectId, env: id.environmentId, version: id.version })
const response = { 200: api.AcceptedReply }
const config = { scope: 'write' } as const

/** What a person may ask of policy: to let removals go or take them back, to try a stopped release again. */
export const policyRoutes =
  ({ ask }: { readonly ask: Ask }) =>
  async (app: Http): Promise<void> => {
    await app.register(questionRoutes({ ask }))
    removals(app, ask)
    circuits(app, ask)
  }

function removals(app: Http, ask: Ask): void {
  app.post(
    '/v1/environments/:id/guard/release',
    {
      config,
      schema: {
        tags: ['environments'],
        summary: 'Let removals go that the mass-failure guard withholds',
        params,
        body: api.ReleaseWithheldBody,
        response,
      },
    },
    async (request, reply) => {
      const data = { environmentId: request.params.id, machineIds: request.body.machines ?? null }
      sendAnswer(reply, await ask('policy', { type: 'ReleaseWithheldRemovals', data }, causeOf(request)))
      return reply
    },
  )

  app.post(
    '/v1/environments/:id/decisions/:decisionId/revert',
    {
      config,
      schema: {
        tags: ['environments'],
        summary: 'Take back what one decision of the policy did: the machines that it removed are restored',
        params: decisionParams,
        body: api.ReasonBody,
        response,
      },
    },
    async (request, reply) => {
      const { id: environmentId, decisionId } = request.params
      const data = { environmentId, decisionId, reason: request.body.reason }
      sendAnswer(reply, await ask('policy', { type: 'RevertDecision', data }, causeOf(request)))
      return reply
    },
  )
}

function circuits(app: Http, ask: Ask): void {
  app.delete(
    '/v1/projects/:id/environments/:env/circuits/:version',
    {
      config,
      schema: {
        tags: ['projects'],
        summary: 'Deploy a stopped release automatically again',
        params: circuitParams,
        response,
      },
    },
    async (request, reply) => {
      const { id: projectId, env: environmentId, version } = request.params
      const data = { environmentId, projectId, version }
      sendAnswer(reply, await ask('policy', { type: 'CloseReleaseCircuit', data }, causeOf(request)))
      return reply
    },
  )
}
