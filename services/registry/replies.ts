import { z } from 'zod'
import { EnvironmentPolicy } from '#contracts/policySettings.ts'

/** What accepted commands are answered with; `position` is that from which on readers see their effect. */
const position = z.number()

export const EnvironmentReply = z.object({
  environmentId: z.string(),
  name: z.string(),
  policy: EnvironmentPolicy,
  policyVersion: z.number(),
  position,
})

export const MachineReply = z.object({
  machineId: z.string(),
  name: z.string(),
  environmentId: z.string(),
  roles: z.array(z.string()).readonly(),
  position,
})

const secret = z.string().nullable().describe('Shown once: null when the same request had been answered before.')
export const EnrollmentReply = z.object({
  enrollmentId: z.string(),
  environmentId: z.string(),
  expiresAt: z.string(),
  token: secret,
  position,
})
export const TokenReply = z.object({ tokenId: z.string(), expiresAt: z.string().nullable(), token: secret, position })
export const DoneReply = z.object({ position })
