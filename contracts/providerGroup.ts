import { z } from 'zod'

const groupCharsMax = 256
const membersMax = 10_000

/** What a provider calls a group of machines, such as an auto-scaling group. */
export const providerGroup = z.string().trim().min(1).max(groupCharsMax)

/** From whom something was heard of a group, and when, by the steady clock. */
export const ProviderHeard = z.object({ provider: z.string(), group: z.string(), at: z.number() })
export type ProviderHeard = z.infer<typeof ProviderHeard>

/** A machine that is listed in a group. Without a machine id it has not registered, or cannot be told from others. */
const GroupMember = z.object({
  machineId: z.string().nullable(),
  /** What the provider calls it. */
  name: z.string(),
  state: z.enum(['running', 'stopped', 'terminated']),
})
export type GroupMember = z.infer<typeof GroupMember>

/** What a provider said last of a group; null where it has not been asked since, or cannot be. */
export const GroupAnswer = z.object({
  provider: z.string(),
  answeredAt: z.number().nullable(),
  /** Why nothing is known of it; null when it answers. */
  silence: z.string().nullable(),
  members: z.array(GroupMember).max(membersMax).readonly(),
})
export type GroupAnswer = z.infer<typeof GroupAnswer>
