import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { CreateTokenBody } from '#contracts/api.ts'
import { tokenId } from '#contracts/ids.ts'
import type { Cause } from '#contracts/message.ts'
import type { TokenCommand } from '#contracts/token.ts'
import { makeToken } from '#libs/auth.ts'
import { causeOf, sendAnswer } from '#libs/http/answer.ts'
import { createdId } from '#libs/ids.ts'
import { withToken } from '../created.ts'
import { DoneReply, TokenReply } from '../replies.ts'
import type { RouteOptions } from '../routes.ts'

const tags = ['tokens']
const params = z.strictObject({ id: tokenId })
const config = { scope: 'admin' } as const

export const tokenRoutes =
  ({ ask, clock }: RouteOptions): FastifyPluginAsyncZod =>
  async (app) => {
    const decide = (command: TokenCommand, cause: Cause) => ask('registry', command, cause)

    app.post(
      '/v1/tokens',
      { config, schema: { tags, summary: 'Make an API token', body: CreateTokenBody, response: { 201: TokenReply } } },
      async (request, reply) => {
        const cause = causeOf(request)
        const { name, scope, expiresInMs } = request.body
        const { token, publicId, secretHash } = makeToken(clock, 'user', createdId(cause))
        const expiresAt = expiresInMs === null ? null : clock.wallMs() + expiresInMs
        const data = { tokenId: publicId, name, scope, secretHash, expiresAt }
        const answer = await decide({ type: 'CreateToken', data }, cause)
        return sendAnswer(reply, withToken(answer, token), { status: 201 })
      },
    )

    app.delete(
      '/v1/tokens/:id',
      { config, schema: { tags, params, summary: 'Revoke an API token', response: { 200: DoneReply } } },
      async (request, reply) => {
        const data = { tokenId: request.params.id }
        return sendAnswer(reply, await decide({ type: 'RevokeToken', data }, causeOf(request)))
      },
    )
  }
