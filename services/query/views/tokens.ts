import type { TokenRow } from '#contracts/credentialRows.ts'
import type { TokenEvent } from '#contracts/token.ts'
import type { View } from '#libs/view.ts'
import { iso } from './iso.ts'

/** API tokens, without anything that their secret could be told from. */
export const tokens: View<TokenRow, TokenEvent> = {
  name: 'tokens.v1',
  observes: ['TokenCreated', 'TokenRevoked'],
  keysOf: ({ data }) => [data.tokenId],

  project(row, fact) {
    switch (fact.type) {
      case 'TokenCreated': {
        const { tokenId: id, name, scope, expiresAt } = fact.data
        const until = expiresAt === null ? null : iso(expiresAt)
        return { id, name, scope, expiresAt: until, revoked: false, createdAt: iso(fact.meta.at) }
      }
      case 'TokenRevoked':
        return row && { ...row, revoked: true }
    }
  },
}
