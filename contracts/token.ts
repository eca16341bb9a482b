import { z } from 'zod'
import { displayName, instantMs, tokenId } from './ids.ts'
import { fact, request } from './message.ts'

/** read: look. write: act on machines and deployments. admin: also environments' policies, tokens and enrolments. */
export const Scope = z.enum(['read', 'write', 'admin'])
export type Scope = z.infer<typeof Scope>

const shape = {
  tokenId,
  name: displayName,
  scope: Scope,
  secretHash: z.string(),
  expiresAt: instantMs.nullable(),
}

export const TokenCommand = z.discriminatedUnion('type', [
  request('CreateToken', shape),
  request('RevokeToken', { tokenId }),
])
export type TokenCommand = z.infer<typeof TokenCommand>

// These shapes are stored for ever: add an event type, never rename or repurpose one.
export const TokenEvent = z.discriminatedUnion('type', [fact('TokenCreated', shape), fact('TokenRevoked', { tokenId })])
export type TokenEvent = z.infer<typeof TokenEvent>
