import { createHash } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { Refused } from '../problem.ts'

const keyMaxChars = 255
const keyPattern = /^[\x21-\x7e]+$/

/** Remembers which body each idempotency key came with, so that one that is used for something else is told. */
export interface IdempotencyKeys {
  /** @throws Refused when this key of this caller came to this address with another body */
  hold(request: string, body: string): void
}

/** @param keysMax how many are remembered; the longest unused is forgotten first */
export function createIdempotencyKeys(keysMax: number): IdempotencyKeys {
  const bodies = new Map<string, string>()
  return {
    hold(request, body) {
      const known = bodies.get(request) ?? body
      // Taken out and put back in, so that the first of the map is the one that was not used for longest.
      bodies.delete(request)
      bodies.set(request, known)
      if (bodies.size > keysMax) bodies.delete(bodies.keys().next().value ?? '')
      if (known === body) return
      throw new Refused(
        'IDEMPOTENCY_KEY_REUSED',
        'Repeat the first body with this key, or send this one with a new key.',
      )
    },
  }
}

/**
 * The id of the command that a request with an idempotency key asks for. The body is part of it: should the key have
 * been forgotten, another body is another command, and is not answered as if it were the first.
 */
export function commandIdOf(key: string | string[], actor: string, request: FastifyRequest): string {
  if (Array.isArray(key) || key.length > keyMaxChars || !keyPattern.test(key)) {
    throw new Refused('REQUEST_INVALID', `The Idempotency-Key takes up to ${keyMaxChars} visible ASCII characters.`)
  }
  const asked = digest([actor, request.method, request.url, key].join('\n'))
  // The schema has put the fields in its own order and filled in what was left out, so equal bodies are written alike.
  const body = digest(JSON.stringify(request.body ?? null))
  request.server.idempotencyKeys.hold(asked, body)
  return digest(asked + body)
}

const digest = (text: string) => createHash('sha256').update(text).digest('hex')
