import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import helmet from '@fastify/helmet'
import swagger from '@fastify/swagger'
import scalar from '@scalar/fastify-api-reference'
import type { FastifyInstance } from 'fastify'
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod'
import { publicly } from './declared.ts'

/** All comes from this server: no script, font or picture of anyone else, and no page of anyone else around ours. */
const policy = {
  'default-src': ["'none'"],
  'script-src': ["'self'"],
  // Both the console and the reference page set sizes and colours of single elements.
  'style-src': ["'self'", "'unsafe-inline'"],
  'img-src': ["'self'", 'data:'],
  'font-src': ["'self'", 'data:'],
  'connect-src': ["'self'"],
  'manifest-src': ["'self'"],
  'base-uri': ["'none'"],
  'form-action': ["'self'"],
  'frame-ancestors': ["'none'"],
}

export async function secureHeaders(app: FastifyInstance): Promise<void> {
  await app.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: policy },
    // Whoever ends TLS in front of us decides about this; a wrong promise here locks people out for a year.
    strictTransportSecurity: false,
    referrerPolicy: { policy: 'no-referrer' },
  })
}

/** Generated from the contracts, and committed, so that what is served is what was checked. */
const asyncApiFile = new URL('../../contracts/generated/asyncapi.json', import.meta.url)

/**
 * OpenAPI 3.1 of every declared route at /openapi.json, and a page to read it at /docs, with all it needs on board.
 * AsyncAPI 3 of what goes over the bus and the agents' socket at /asyncapi.json.
 */
export async function documentRoutes(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    hideUntagged: true,
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Remuda',
        version,
        description: 'Control plane for elastic fleets.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
      security: [{ bearer: [] }],
    },
    transform: (route) => {
      const described = jsonSchemaTransform(route)
      const open = route.route.config?.public === true
      const headers = route.route.method === 'POST' && !open ? { headers: idempotencyHeader } : {}
      return { ...described, schema: { ...described.schema, ...headers, ...(open ? { security: [] } : {}) } }
    },
    transformObject: jsonSchemaTransformObject,
  })

  const asyncApi = await readFile(asyncApiFile, 'utf8')
  await publicly(app, async (scope) => {
    scope.get('/asyncapi.json', { schema: { hide: true } }, (_, reply) => reply.type('application/json').send(asyncApi))
    scope.get('/openapi.json', { schema: { hide: true } }, () => app.swagger())
    scope.addHook('onSend', async (request, reply, payload) => {
      const page = typeof payload === 'string' && String(reply.getHeader('content-type')).startsWith('text/html')
      if (page) reply.header('content-security-policy', policyFor(payload))
      return payload
    })
    await scope.register(scalar, {
      routePrefix: '/docs',
      configuration: {
        url: '/openapi.json',
        pageTitle: 'Remuda API',
        // Nothing that would call, or send anyone, elsewhere.
        withDefaultFonts: false,
        telemetry: false,
        hideClientButton: true,
        showDeveloperTools: 'never',
        agent: { disabled: true },
        mcp: { disabled: true },
      },
    })
  })
}

const idempotencyHeader = {
  type: 'object',
  properties: {
    'idempotency-key': {
      type: 'string',
      maxLength: 255,
      description: 'Sent again with the same key, the request is answered as before and changes nothing more.',
    },
  },
}

/** The page of the reference starts itself with a script in the page; that very text is allowed, by its hash. */
function policyFor(page: string): string {
  const scripts = [...page.matchAll(/<script[^>]*>([^]*?)<\/script>/g)].map(([, text = '']) => text)
  const hashes = scripts.map((text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`)
  return Object.entries({ ...policy, 'script-src': [...policy['script-src'], ...hashes] })
    .map(([name, sources]) => `${name} ${sources.join(' ')}`)
    .join('; ')
}
