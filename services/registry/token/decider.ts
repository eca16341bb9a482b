import type { TokenCommand, TokenEvent } from '#contracts/token.ts'
import { refuse, type Decider } from '#libs/decider.ts'

export interface Token {
  readonly status: 'unknown' | 'valid' | 'revoked'
  readonly secretHash: string
  readonly expiresAt: number | null
}

/** Whether a token has expired is asked when it is shown, by who judges it; its expiry is nothing that happens here. */
export const token: Decider<Token, TokenCommand, TokenEvent> = {
  initial: { status: 'unknown', secretHash: '', expiresAt: null },

  decide({ type, data }, { status }) {
    switch (type) {
      case 'CreateToken':
        return status === 'unknown' ? [{ type: 'TokenCreated', data }] : []

      case 'RevokeToken':
        if (status === 'unknown') return refuse('TOKEN_UNKNOWN', `There is no API token ${data.tokenId}.`)
        return status === 'revoked' ? [] : [{ type: 'TokenRevoked', data }]
    }
  },

  evolve(state, event) {
    switch (event.type) {
      case 'TokenCreated':
        return { status: 'valid', secretHash: event.data.secretHash, expiresAt: event.data.expiresAt }
      case 'TokenRevoked':
        return { ...state, status: 'revoked' }
    }
  },
}
