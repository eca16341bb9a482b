import { z } from 'zod'
import * as api from '#contracts/api.ts'
import { templateName } from '#contracts/template/origin.ts'
import type { Ask } from '#libs/ask.ts'
import { causeOf, sendAnswer } from '#libs/http/answer.ts'
import type { Http } from '#libs/http/http.ts'
import { versionOf } from '#libs/http/ifMatch.ts'

const params = z.strictObject({ name: templateName })
const tags = ['templates']
const config = { scope: 'write' } as const
const response = { 200: api.AcceptedReply }

/** What can be asked of step templates. */
export const templateRoutes =
  ({ ask }: { readonly ask: Ask }) =>
  async (app: Http): Promise<void> => {
    addSaving(app, ask)
    addDeletion(app, ask)
  }

function addSaving(app: Http, ask: Ask): void {
  const summary = 'Save a step template, as its next version'
  const description =
    'What the newest version says already changes nothing. With a `version`, it is saved under that, which must be higher ' +
    'than all before it. With If-Match, only when that is still the newest version; 0 is that there is none.'
  app.put(
    '/v1/templates/:name',
    {
      config: { ...config, versioned: true },
      schema: { tags, summary, description, params, body: api.PutTemplateBody, response },
    },
    async (request, reply) => {
      const expectedVersion = versionOf(request.headers['if-match'])
      const data = { name: request.params.name, ...request.body, expectedVersion }
      sendAnswer(reply, await ask('deployment', { type: 'SaveTemplate', data }, causeOf(request)))
      return reply
    },
  )
}

function addDeletion(app: Http, ask: Ask): void {
  const summary = 'Take a step template out of the library'
  const description = 'Steps and releases that were made of it stay as they are, and its versions can still be read.'
  app.delete(
    '/v1/templates/:name',
    { config, schema: { tags, summary, description, params, querystring: api.OptionalReasonBody, response } },
    async (request, reply) => {
      const { reason = 'no reason given' } = request.query
      const data = { name: request.params.name, reason }
      sendAnswer(reply, await ask('deployment', { type: 'DeleteTemplate', data }, causeOf(request)))
      return reply
    },
  )
}
