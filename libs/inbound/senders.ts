import type { RawMessage } from '../bus/bus.ts'
import type { Clock } from '../clock.ts'
import { createBuckets } from '../http/bucket.ts'
import { bearerOf, type Authenticate, type Principal } from '../http/guard.ts'
import type { HttpLimits } from '../http/limits.ts'
import { Refused } from '../problem.ts'

/** Who has sent a message, and the credential that it is carried out with. */
export interface Sender {
  readonly principal: Principal
  readonly bearer: string
}

export interface Senders {
  /**
   * Finds out who has sent a message, before anything else of it is looked at.
   * @param credential that of the user whom the subject belongs to, where there is one
   * @throws Refused when nobody we know has, or one who sends too much
   */
  identify(message: RawMessage, credential: string | null): Promise<Sender>
}

/** All whom we do not know share one allowance: a message does not say where it comes from. */
const strangers = 'strangers'

/** Knows senders by the same credentials as the HTTP API, and lets each send as much. */
export function createSenders(clock: Clock, authenticate: Authenticate, limits: HttpLimits): Senders {
  const buckets = createBuckets(clock, limits.callersMax)
  const known = { perSecond: limits.requestsPerSecond, burst: limits.requestsBurst }
  const unknown = { perSecond: limits.anonymousPerSecond, burst: limits.anonymousBurst }

  return {
    async identify({ headers }, credential) {
      const authorization = headers.get('authorization')
      const bearer = credential ?? bearerOf(authorization) ?? headers.get('remuda-token')
      const principal = bearer === undefined ? null : await authenticate(bearer)
      const waitMs = principal === null ? buckets.take(strangers, unknown) : buckets.take(principal.id, known)
      if (waitMs > 0) throw new Refused('TOO_MANY_REQUESTS', `Come back in ${waitMs} ms.`, { retryAfterMs: waitMs })
      if (bearer !== undefined && principal !== null) return { principal, bearer }
      if (credential !== null)
        throw new Refused('CREDENTIAL_INVALID', 'The API token of this user is unknown, expired or revoked.')
      if (bearer === undefined && authorization === undefined)
        throw new Refused('CREDENTIAL_MISSING', 'Send it in the header "Authorization: Bearer <token>".')
      throw new Refused('CREDENTIAL_INVALID', 'The token is malformed, unknown, expired or revoked.')
    },
  }
}
