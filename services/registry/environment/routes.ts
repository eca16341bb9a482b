import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import { CreateEnvironmentBody, PatchEnvironmentBody, PutPolicyBody } from '#contracts/api.ts'
import type { Answer } from '#contracts/command.ts'
import type { EnvironmentCommand } from '#contracts/environment.ts'
import type { Cause } from '#contracts/message.ts'
import { environmentId } from '#contracts/ids.ts'
import { causeOf, sendAnswer } from '#libs/http/answer.ts'
import { versionOf } from '#libs/http/ifMatch.ts'
import { EnvironmentReply } from '../replies.ts'
import type { RouteOptions } from '../routes.ts'

const tags = ['environments']
const params = z.strictObject({ id: environmentId })
const changed = { tags, params, response: { 200: EnvironmentReply } }
const config = { scope: 'admin' } as const

type App = Parameters<FastifyPluginAsyncZod>[0]
type Decide = (command: EnvironmentCommand, cause: Cause) => Promise<Answer>

export const environmentRoutes =
  ({ ask }: RouteOptions): FastifyPluginAsyncZod =>
  async (app) => {
    const decide: Decide = (command, cause) => ask('registry', command, cause)
    createAndRename(app, decide)
    changePolicy(app, decide)
  }

function createAndRename(app: App, decide: Decide): void {
  const body = CreateEnvironmentBody
  app.post(
    '/v1/environments',
    { config, schema: { tags, summary: 'Create an environment', body, response: { 201: EnvironmentReply } } },
    async (request, reply) => {
      const { id, name = id, policy } = request.body
      const data = { environmentId: id, name, ...(policy && { policy }) }
      return sendWithTag(reply, await decide({ type: 'CreateEnvironment', data }, causeOf(request)), 201)
    },
  )

  app.patch(
    '/v1/environments/:id',
    { config, schema: { ...changed, summary: 'Rename an environment', body: PatchEnvironmentBody } },
    async (request, reply) => {
      const data = { environmentId: request.params.id, name: request.body.name }
      return sendWithTag(reply, await decide({ type: 'RenameEnvironment', data }, causeOf(request)))
    },
  )
}

function changePolicy(app: App, decide: Decide): void {
  app.put(
    '/v1/environments/:id/policy',
    {
      config: { ...config, versioned: true },
      schema: { ...changed, summary: "Replace an environment's policy", body: PutPolicyBody },
    },
    async (request, reply) => {
      const expectedPolicyVersion = versionOf(request.headers['if-match'])
      const data = { environmentId: request.params.id, policy: request.body, expectedPolicyVersion }
      return sendWithTag(reply, await decide({ type: 'ChangeEnvironmentPolicy', data }, causeOf(request)))
    },
  )
}

/** The tag of an environment's policy is its version. */
function sendWithTag(reply: FastifyReply, answer: Answer, status: 200 | 201 = 200): void {
  if ('accepted' in answer) reply.header('etag', `"${answer.result['policyVersion']}"`)
  return sendAnswer(reply, answer, { status })
}
