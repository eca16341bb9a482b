import { z } from 'zod'
import { Scope } from './token.ts'

// What the query API answers of join tokens and API tokens: never what opens anything.
const at = z.string()

export const EnrollmentRow = z.object({
  id: z.string(),
  environmentId: z.string(),
  roles: z.array(z.string()).readonly(),
  expiresAt: at,
  usesMax: z.number(),
  uses: z.number(),
  revoked: z.boolean(),
  createdAt: at,
})
export type EnrollmentRow = z.infer<typeof EnrollmentRow>

export const TokenRow = z.object({
  id: z.string(),
  name: z.string(),
  scope: Scope,
  expiresAt: at.nullable(),
  revoked: z.boolean(),
  createdAt: at,
})
export type TokenRow = z.infer<typeof TokenRow>
