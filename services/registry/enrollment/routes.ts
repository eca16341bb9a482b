import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { CreateEnrollmentBody, ReasonBody } from '#contracts/api.ts'
import type { EnrollmentCommand } from '#contracts/enrollment.ts'
import { enrollmentId } from '#contracts/ids.ts'
import type { Cause } from '#contracts/message.ts'
import { makeToken } from '#libs/auth.ts'
import { causeOf, sendAnswer } from '#libs/http/answer.ts'
import { createdId } from '#libs/ids.ts'
import { withToken } from '../created.ts'
import { DoneReply, EnrollmentReply } from '../replies.ts'
import type { RouteOptions } from '../routes.ts'

const tags = ['enrollments']
const params = z.strictObject({ id: enrollmentId })
const config = { scope: 'admin' } as const

export const enrollmentRoutes =
  ({ ask, clock }: RouteOptions): FastifyPluginAsyncZod =>
  async (app) => {
    const decide = (command: EnrollmentCommand, cause: Cause) => ask('registry', command, cause)

    app.post(
      '/v1/enrollments',
      {
        config,
        schema: { tags, summary: 'Make a join token', body: CreateEnrollmentBody, response: { 201: EnrollmentReply } },
      },
      async (request, reply) => {
        const cause = causeOf(request)
        const { environmentId, roles, usesMax, expiresInMs } = request.body
        const { token, publicId, secretHash } = makeToken(clock, 'join', createdId(cause))
        const expiresAt = clock.wallMs() + expiresInMs
        const data = { enrollmentId: publicId, environmentId, roles, usesMax, secretHash, expiresAt }
        const answer = await decide({ type: 'CreateEnrollment', data }, cause)
        return sendAnswer(reply, withToken(answer, token), { status: 201 })
      },
    )

    app.delete(
      '/v1/enrollments/:id',
      {
        config,
        schema: { tags, params, summary: 'Revoke a join token', body: ReasonBody, response: { 200: DoneReply } },
      },
      async (request, reply) => {
        const data = { enrollmentId: request.params.id, reason: request.body.reason }
        return sendAnswer(reply, await decide({ type: 'RevokeEnrollment', data }, causeOf(request)))
      },
    )
  }
