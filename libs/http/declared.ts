import type { FastifyInstance, RouteOptions } from 'fastify'
import { z } from 'zod'
import { Problem, problemType } from '#contracts/problem.ts'

const problemResponse = { description: 'A problem', content: { [problemType]: { schema: Problem } } }
const documented = /^\/v1\//

/**
 * Holds every route to its declaration. A route that does not say who may use it, or of what shape it is, does not
 * start: the mistake is found by the first test that builds the server and not by a stranger.
 */
export function requireDeclarations(app: FastifyInstance): void {
  const routes: RouteOptions[] = []
  app.addHook('onRoute', (route) => {
    routes.push(route)
    if (!documented.test(route.url) || route.schema === undefined || route.schema.hide === true) return
    // What is not declared is refused, in the query as in the body.
    route.schema.querystring ??= z.strictObject({})
    route.schema.response = { '4xx': problemResponse, '5xx': problemResponse, ...Object(route.schema.response) }
  })
  app.addHook('onReady', async () => {
    const mistakes = routes.flatMap((route) =>
      mistakesOf(route).map((wrong) => `${route.method} ${route.url} ${wrong}`),
    )
    if (mistakes.length > 0) throw new Error(`Routes are not declared in full:\n${mistakes.join('\n')}`)
  })
}

/** Declares as public all that a plugin registers within: for files and pages that hold nothing of the fleet. */
export async function publicly(
  app: FastifyInstance,
  register: (scope: FastifyInstance) => Promise<void>,
): Promise<void> {
  await app.register(async (scope) => {
    scope.addHook('onRoute', (route) => void (route.config = { ...route.config, public: true }))
    await register(scope)
  })
}

function mistakesOf({ url, config, schema, websocket }: RouteOptions): readonly string[] {
  const mistakes: string[] = []
  const open = config?.public === true
  if (open === (config?.scope !== undefined)) mistakes.push('declares neither a scope nor that it is public, or both')
  // OpenAPI has no words for sockets; the protocol that is spoken on one is described in the contracts.
  if (!documented.test(url) || websocket === true) return mistakes

  if (schema === undefined) return [...mistakes, 'has no schema']
  if (schema.hide === true) return mistakes
  if (!schema.tags?.length) mistakes.push('has no tag')
  if (!schema.summary) mistakes.push('has no summary')
  const statuses = Object.keys(Object(schema.response)).filter((status) => /^[123]/.test(status))
  if (statuses.length === 0) mistakes.push('does not say what it answers')
  for (const part of ['body', 'querystring'] as const) {
    if (isLoose(schema[part])) mistakes.push(`takes unknown fields in its ${part}; use z.strictObject`)
  }
  return mistakes
}

const isLoose = (schema: unknown) => schema instanceof z.ZodObject && !(schema.def.catchall instanceof z.ZodNever)
