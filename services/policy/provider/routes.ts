import { z } from 'zod'
import { ProviderRow } from '#contracts/provider.ts'
import type { Ask } from '#libs/ask.ts'
import { causeOf, sendRefusal } from '#libs/http/answer.ts'
import type { Http } from '#libs/http/http.ts'

/** What can be read of providers. Only the process that asks them knows it, so it is asked for over the bus. */
export const providerRoutes =
  ({ ask }: { readonly ask: Ask }) =>
  async (app: Http): Promise<void> => {
    app.get(
      '/v1/providers',
      {
        config: { scope: 'read' },
        schema: {
          tags: ['environments'],
          summary: 'List the providers of machines, and how they answer',
          response: { 200: z.object({ items: z.array(ProviderRow) }) },
        },
      },
      async (request, reply) => {
        const answer = await ask('policy', { type: 'ListProviders', data: {} }, causeOf(request))
        if ('refused' in answer) return sendRefusal(reply, answer)
        return answer.result as { items: ProviderRow[] }
      },
    )
  }
