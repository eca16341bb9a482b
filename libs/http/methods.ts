import type { FastifyInstance } from 'fastify'

/** Which methods an address takes, so that a wrong one can be told from a wrong address. */
export function createAllowed(app: FastifyInstance): (url: string) => readonly string[] {
  const methodsOf = new Map<string, Set<string>>()
  app.addHook('onRoute', ({ url, method }) => {
    // The catch-all that serves the console's files takes every address, which says nothing of this one.
    if (url.startsWith('/*') || url === '*') return
    const methods = methodsOf.get(url) ?? new Set()
    for (const name of [method].flat()) methods.add(name)
    methodsOf.set(url, methods)
  })

  return (url) => {
    const path = url.split('?', 1)[0] ?? ''
    const found = [...methodsOf].filter(([pattern]) => toExpression(pattern).test(path))
    return [...new Set(found.flatMap(([, methods]) => [...methods]))].sort()
  }
}

function toExpression(pattern: string): RegExp {
  const parts = pattern.split('/').map((part) => {
    if (part.startsWith(':')) return '[^/]+'
    return part === '*' ? '.*' : RegExp.escape(part)
  })
  return new RegExp(`^${parts.join('/')}$`)
}
