import { z } from 'zod'
import * as api from '#contracts/api.ts'
import * as id from '#contracts/ids.ts'
import type { Ask } from '#libs/ask.ts'
import { causeOf, sendAnswer } from '#libs/http/answer.ts'
import type { Http } from '#libs/http/http.ts'

const params = z.strictObject({ id: id.machineId })

/** What health can be asked over HTTP: to look at one machine now. */
export const healthRoutes =
  ({ ask }: { readonly ask: Ask }) =>
  async (app: Http): Promise<void> => {
    app.post(
      '/v1/machines/:id/check',
      {
        config: { scope: 'write' },
        schema: {
          tags: ['machines'],
          summary: 'Ask a machine for a sign of life now',
          params,
          body: z.strictObject({}).optional(),
          response: { 200: api.AcceptedReply },
        },
      },
      async (request, reply) => {
        const command = { type: 'CheckMachine', data: { machineId: request.params.id } }
        sendAnswer(reply, await ask('health', command, causeOf(request)))
        return reply
      },
    )
  }
