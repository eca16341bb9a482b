import { z } from 'zod'
import { BacktestReply, WhatIfReply } from '#contracts/backtest.ts'
import * as id from '#contracts/ids.ts'
import { BacktestBody, WhatIfBody } from '#contracts/removalQuestions.ts'
import type { Ask } from '#libs/ask.ts'
import { causeOf, sendAnswer } from '#libs/http/answer.ts'
import type { Http } from '#libs/http/http.ts'

const params = z.strictObject({ id: id.environmentId })
/** Nothing changes by asking; it is a POST since the question has a body. */
const config = { scope: 'read' } as const

/** What may be asked of a policy before it is set, or before something fails. */
export const questionRoutes =
  ({ ask }: { readonly ask: Ask }) =>
  async (app: Http): Promise<void> => {
    app.post(
      '/v1/environments/:id/policy/backtest',
      {
        config,
        schema: {
          tags: ['environments'],
          summary: 'What a policy would have done in a time that is gone, and how that differs from what was done',
          params,
          body: BacktestBody,
          response: { 200: BacktestReply },
        },
      },
      async (request, reply) => {
        const data = { environmentId: request.params.id, ...request.body }
        sendAnswer(reply, await ask('policy', { type: 'BacktestPolicy', data }, causeOf(request)))
        return reply
      },
    )
    app.post(
      '/v1/environments/:id/policy/what-if',
      {
        config,
        schema: {
          tags: ['environments'],
          summary: 'What would follow if machines fell silent now and did not come back',
          params,
          body: WhatIfBody,
          response: { 200: WhatIfReply },
        },
      },
      async (request, reply) => {
        const data = { environmentId: request.params.id, ...request.body }
        sendAnswer(reply, await ask('policy', { type: 'WhatIf', data }, causeOf(request)))
        return reply
      },
    )
  }
