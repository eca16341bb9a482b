import { z } from 'zod'

const at = z.string().nullable()

/** How a provider of machines answers, as the process says that asks it. What was before its start it does not know. */
export const ProviderRow = z.object({
  name: z.string(),
  /** Null: a policy names it, and the server has no provider of that name. */
  kind: z.string().nullable(),
  /** Those that listen to it; it is asked only if there are any. */
  environmentIds: z.array(z.string()).readonly(),
  lastAnswerAt: at,
  /** How many machines its last answer named, of whatever environment. */
  machinesListed: z.number(),
  /** What could not be told apart in its last answer, and so is believed of nobody. */
  doubts: z.array(z.string()).readonly(),
  /** How often in a row it could not be asked by now, and why the last time. */
  failures: z.number(),
  lastFailure: z.string().nullable(),
  silentSince: at,
})
export type ProviderRow = z.infer<typeof ProviderRow>
