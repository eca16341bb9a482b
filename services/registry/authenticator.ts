import type { Recorded } from '#contracts/message.ts'
import { TokenEvent, type Scope } from '#contracts/token.ts'
import { hashSecret, makeToken, parseToken, secretMatches } from '#libs/auth.ts'
import type { Clock } from '#libs/clock.ts'
import { startConsumer, type Consumer } from '#libs/consume.ts'
import type { Authenticate } from '#libs/http/guard.ts'
import type { Platform } from '#libs/platform.ts'
import { readAll } from './readAll.ts'

interface Known {
  readonly name: string
  readonly scope: Scope
  readonly secretHash: string
  readonly expiresAt: number | null
}

export interface Authenticator extends AsyncDisposable {
  readonly authenticate: Authenticate
  /**
   * A bearer token that only this process knows and that stands for an API token for as long as that one is good: for
   * senders whom something else has let in.
   */
  readonly vouchFor: (tokenId: string) => string
  /** Resolves with the fault after which revoked tokens are no longer heard of; never, as long as all goes on. */
  readonly failure: Promise<Error>
}

/** Follows the API tokens of the store. A revoked one is refused as soon as this process has heard of it. */
export async function startAuthenticator(
  platform: Platform,
  { adminToken }: { adminToken: string },
): Promise<Authenticator> {
  const { store, bus, clock, log } = platform
  const { authenticate, vouchFor, apply } = createAuthenticator({ adminToken, clock })
  const after = await readAll(store, apply)
  const following: Consumer = startConsumer({ name: 'registry.tokens', store, bus, clock, log, after, handle: apply })
  return {
    authenticate,
    vouchFor,
    failure: following.failure,
    [Symbol.asyncDispose]: () => following[Symbol.asyncDispose](),
  }
}

/**
 * Knows who a bearer token belongs to.
 * @param adminToken the token that may do everything, whatever is stored
 * @returns `authenticate`, `vouchFor`, and `apply`, which is to be handed every event in order
 */
export function createAuthenticator(options: { adminToken: string; clock: Pick<Clock, 'wallMs' | 'bytes'> }) {
  const { adminToken, clock } = options
  const adminHash = hashSecret(adminToken)
  const tokens = new Map<string, Known>()
  const vouched = new Map<string, { readonly tokenId: string; readonly secretHash: string }>()

  const authenticate: Authenticate = (bearer) => {
    if (secretMatches(bearer, adminHash)) return { id: 'admin', name: 'Administrator', scopes: ['admin'] }

    const parts = parseToken(bearer)
    if (parts?.kind !== 'user') return null
    const voucher = vouched.get(parts.publicId)
    const tokenId = voucher?.tokenId ?? parts.publicId
    const known = tokens.get(tokenId)
    if (known === undefined || !secretMatches(parts.secret, voucher?.secretHash ?? known.secretHash)) return null
    if (known.expiresAt !== null && clock.wallMs() >= known.expiresAt) return null
    return { id: `token:${tokenId}`, name: known.name, scopes: [known.scope] }
  }

  const vouchFor = (tokenId: string): string => {
    const { token, publicId, secretHash } = makeToken(clock, 'user')
    vouched.set(publicId, { tokenId, secretHash })
    return token
  }

  const apply = (events: readonly Recorded[]) => {
    for (const event of events) {
      if (!isTokenEvent(event)) continue
      const { type, data } = TokenEvent.parse(event)
      if (type === 'TokenRevoked') tokens.delete(data.tokenId)
      else tokens.set(data.tokenId, data)
    }
  }
  return { authenticate, vouchFor, apply }
}

const types: readonly string[] = ['TokenCreated', 'TokenRevoked'] satisfies TokenEvent['type'][]
const isTokenEvent = ({ type }: Recorded) => types.includes(type)
