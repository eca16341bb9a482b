import { z } from 'zod'
import * as api from '#contracts/api.ts'
import * as id from '#contracts/ids.ts'
import { variableName, type SecretReference, type WantedVariable } from '#contracts/process.ts'
import { maskableCharsMin, maskedLines } from '#contracts/sensitive.ts'
import type { Ask } from '#libs/ask.ts'
import { isRefusal, refuse, type Refusal } from '#libs/decider.ts'
import { causeOf, sendAnswer } from '#libs/http/answer.ts'
import type { Http } from '#libs/http/http.ts'
import { versionOf } from '#libs/http/ifMatch.ts'
import type { Vault } from '#libs/vault/vault.ts'
import { ownerOf } from './secrets.ts'

export interface VariableRouteOptions {
  readonly ask: Ask
  /** Where sensitive values go before anything is asked; without it none are taken. */
  readonly vault?: Vault | undefined
}

const params = z.strictObject({ id: id.projectId })
const nameParams = z.strictObject({ id: id.projectId, name: variableName })
const tags = ['projects']
const config = { scope: 'write' } as const
const response = { 200: api.AcceptedReply }

/** What can be asked of variables. A sensitive value ends here: what is asked over the bus only refers to it. */
export const variableRoutes = (options: VariableRouteOptions) => async (app: Http) => {
  addChange(app, options)
  addDestroy(app, options)
}

function addChange(app: Http, { ask, vault }: VariableRouteOptions): void {
  const summary = 'Replace the variables of a project'
  const description =
    'With If-Match, only when the variables still have that version. A sensitive variable without a value keeps the ' +
    'one that it has in the same scope. No reply ever shows a sensitive value.'
  app.put(
    '/v1/projects/:id/variables',
    {
      config: { ...config, versioned: true },
      schema: { tags, summary, description, params, body: api.PutVariablesBody, response },
    },
    async (request, reply) => {
      const projectId = request.params.id
      const kept = await keep(vault, projectId, request.body.variables)
      if (isRefusal(kept)) {
        sendAnswer(reply, kept)
        return reply
      }
      const expectedVersion = versionOf(request.headers['if-match'])
      const data = { projectId, variables: kept.variables, expectedVersion }
      const answer = await ask('deployment', { type: 'ChangeVariables', data }, causeOf(request))
      if (isRefusal(answer)) for (const secret of kept.secrets) await vault?.discard(secret)
      sendAnswer(reply, answer)
      return reply
    },
  )
}

function addDestroy(app: Http, { ask }: VariableRouteOptions): void {
  const summary = 'Destroy every value that the sensitive variables of a name ever had'
  const description =
    'Their keys are destroyed: nobody can read the values any more, in backups, releases or anywhere else. Tasks that ' +
    'need one of them fail and say so. The variable can be set again.'
  app.post(
    '/v1/projects/:id/variables/:name/destroy',
    {
      config,
      schema: { tags, summary, description, params: nameParams, body: z.strictObject({}).optional(), response },
    },
    async (request, reply) => {
      const data = { projectId: request.params.id, name: request.params.name }
      sendAnswer(reply, await ask('deployment', { type: 'DestroyVariable', data }, causeOf(request)))
      return reply
    },
  )
}

interface Kept {
  readonly variables: readonly WantedVariable[]
  readonly secrets: readonly SecretReference[]
}

/** Puts the sensitive values into the vault, once all of them are known to be acceptable. */
async function keep(
  vault: Vault | undefined,
  projectId: string,
  given: readonly api.GivenVariable[],
): Promise<Kept | Refusal> {
  const refused = given.map((one, at) => unfit(one, at, vault)).find((one) => one !== null)
  if (refused) return refused
  const secrets: SecretReference[] = []
  const variables: WantedVariable[] = []
  for (const { sensitive = false, value, ...variable } of given) {
    if (!sensitive) variables.push({ ...variable, value: value! })
    else if (typeof value !== 'string') variables.push({ ...variable, value: '', sensitive })
    else {
      const secret = await vault!.put(ownerOf(projectId, variable), value)
      secrets.push(secret)
      variables.push({ ...variable, value: '', sensitive, secret })
    }
  }
  return { variables, secrets }
}

function unfit({ name, value, sensitive }: api.GivenVariable, at: number, vault: Vault | undefined): Refusal | null {
  if (sensitive !== true || typeof value !== 'string') return null
  if (vault === undefined) return refuse('SERVICE_UNAVAILABLE', 'this process runs without a vault')
  if (maskedLines(value).length > 0) return null
  const what = `variables.${at}.value: ${name} has no line of ${maskableCharsMin} characters or more`
  return refuse('SECRET_TOO_SHORT', `${what}, so hiding it would hide most of each log. Choose a longer value`)
}
