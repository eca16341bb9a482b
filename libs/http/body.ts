import type { FastifyInstance } from 'fastify'
import { Refused } from '../problem.ts'

const jsonTypes = /^application\/([\w.-]+\+)?json\s*(;|$)/i

/**
 * Takes JSON and nothing else. A type that a browser's form can send would let another site act in a person's name,
 * so the parser for text that Fastify brings is taken out.
 */
export function acceptJsonOnly(app: FastifyInstance, depthMax: number): void {
  app.removeAllContentTypeParsers()
  const parse = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser(jsonTypes, { parseAs: 'string' }, (request, body: string, done) => {
    // A client that sets the type on every request sends it on an empty one as well.
    if (body.trim() === '') return done(null, {})
    if (depthOf(body) > depthMax) {
      return done(new Refused('REQUEST_INVALID', `The JSON is nested deeper than ${depthMax} levels.`))
    }
    return parse(request, body, (error, value) => {
      if (error) return done(new Refused('REQUEST_INVALID', `The body is not acceptable JSON: ${error.message}.`))
      return done(null, value)
    })
  })

  // A route that takes a body gets an object, so that its schema can say which fields are missing.
  app.addHook('preValidation', async (request) => {
    if (request.routeOptions.schema?.body !== undefined) request.body ??= {}
  })
}

/** How deep arrays and objects are nested, read off the text before anything is built from it. */
export function depthOf(json: string): number {
  let depth = 0
  let deepest = 0
  let inText = false
  for (let at = 0; at < json.length; at++) {
    const letter = json[at]
    if (inText) {
      if (letter === '\\') at++
      else if (letter === '"') inText = false
    } else if (letter === '"') inText = true
    else if (letter === '{' || letter === '[') deepest = Math.max(deepest, ++depth)
    else if (letter === '}' || letter === ']') depth--
  }
  return deepest
}
