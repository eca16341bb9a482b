import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { CreateMachineBody, OptionalReasonBody, PatchMachineBody, ReasonBody } from '#contracts/api.ts'
import type { Answer } from '#contracts/command.ts'
import { machineId } from '#contracts/ids.ts'
import type { MachineCommand } from '#contracts/machine.ts'
import type { Cause } from '#contracts/message.ts'
import { causeOf, sendAnswer } from '#libs/http/answer.ts'
import { createdId } from '#libs/ids.ts'
import { MachineReply } from '../replies.ts'
import type { RouteOptions } from '../routes.ts'

const tags = ['machines']
const params = z.strictObject({ id: machineId })
const changed = { tags, params, response: { 200: MachineReply } }
const config = { scope: 'write' } as const

type App = Parameters<FastifyPluginAsyncZod>[0]
type Decide = (command: MachineCommand, cause: Cause) => Promise<Answer>

export const machineRoutes =
  ({ ask }: RouteOptions): FastifyPluginAsyncZod =>
  async (app) => {
    const decide: Decide = (command, cause) => ask('registry', command, cause)
    registerAndChange(app, decide)
    removeAndRestore(app, decide)
    enableAndDisable(app, decide)
    letOut(app, decide)
  }

function registerAndChange(app: App, decide: Decide): void {
  app.post(
    '/v1/machines',
    {
      config,
      schema: { tags, summary: 'Register a machine', body: CreateMachineBody, response: { 201: MachineReply } },
    },
    async (request, reply) => {
      const cause = causeOf(request)
      const { id = `m-${createdId(cause)}`, ...body } = request.body
      // A machine that a person registers has no agent yet, and so neither a key nor facts of its own.
      const data = { machineId: id, ...body, facts: null, publicKey: null, enrollmentId: null, force: false }
      return sendAnswer(reply, await decide({ type: 'RegisterMachine', data }, cause), { status: 201 })
    },
  )

  app.patch(
    '/v1/machines/:id',
    {
      config,
      schema: { ...changed, summary: "Change a machine's name, roles, environment or probe", body: PatchMachineBody },
    },
    async (request, reply) => {
      const cause = causeOf(request)
      const { probe, ...who } = request.body
      const machineId = request.params.id
      if (probe !== undefined && Object.keys(who).length === 0)
        return sendAnswer(reply, await decide({ type: 'SetMachineProbe', data: { machineId, probe } }, cause))
      const data = { machineId, ...request.body }
      return sendAnswer(reply, await decide({ type: 'ChangeMachine', data }, cause))
    },
  )
}

function removeAndRestore(app: App, decide: Decide): void {
  app.delete(
    '/v1/machines/:id',
    {
      config,
      schema: { ...changed, summary: 'Remove a machine', body: OptionalReasonBody, querystring: OptionalReasonBody },
    },
    async (request, reply) => {
      const why = request.body.reason ?? request.query.reason ?? 'no reason given'
      const cause = { kind: 'person', reason: why, decisionId: null, deploymentId: null } as const
      const data = { machineId: request.params.id, cause, evidence: null, policyVersion: null }
      return sendAnswer(reply, await decide({ type: 'DeregisterMachine', data }, causeOf(request)))
    },
  )

  app.post(
    '/v1/machines/:id/restore',
    { config, schema: { ...changed, summary: 'Bring back a removed machine', body: ReasonBody } },
    async (request, reply) => {
      const data = { machineId: request.params.id, reason: request.body.reason }
      return sendAnswer(reply, await decide({ type: 'RestoreMachine', data }, causeOf(request)))
    },
  )
}

function enableAndDisable(app: App, decide: Decide): void {
  app.post(
    '/v1/machines/:id/enable',
    { config, schema: { ...changed, summary: 'Let deployments go to a machine again', body: z.strictObject({}) } },
    async (request, reply) => {
      const data = { machineId: request.params.id }
      return sendAnswer(reply, await decide({ type: 'EnableMachine', data }, causeOf(request)))
    },
  )

  app.post(
    '/v1/machines/:id/disable',
    { config, schema: { ...changed, summary: 'Let no deployment go to a machine', body: ReasonBody } },
    async (request, reply) => {
      const data = { machineId: request.params.id, reason: request.body.reason }
      return sendAnswer(reply, await decide({ type: 'DisableMachine', data }, causeOf(request)))
    },
  )
}

function letOut(app: App, decide: Decide): void {
  const summary = 'Let a machine work again that was put in quarantine since two used its key'
  app.post(
    '/v1/machines/:id/release',
    { config, schema: { ...changed, summary, body: ReasonBody } },
    async (request, reply) => {
      const data = { machineId: request.params.id, reason: request.body.reason }
      return sendAnswer(reply, await decide({ type: 'ReleaseMachine', data }, causeOf(request)))
    },
  )
}
