import { z } from 'zod'
import { ProviderFault } from './provider.ts'

const machinesMax = 100_000
const keyCharsMax = 256
const issuesMax = 3

const key = z.string().min(1).max(keyCharsMax).nullish()

/** One machine as it is listed, by whatever its provider calls it. What else is said of it is none of our business. */
const Instance = z
  .object({
    /** The id that Remuda knows it by. */
    id: key,
    /** What the machine itself says in its attribute `instanceId`. */
    instanceId: key,
    name: key,
    /** Where the same name is used in several environments: the one that is meant. */
    environment: key,
    /** The group that it belongs to, such as an auto-scaling group, by which deployments may look for it. */
    group: key,
    state: z.enum(['running', 'stopped', 'terminated'], 'expected running, stopped or terminated'),
  })
  .refine(({ id, instanceId, name }) => id != null || instanceId != null || name != null, {
    error: 'expected an id, an instanceId or a name',
  })
export type Instance = Readonly<z.infer<typeof Instance>>

const Inventory = z.object({
  machines: z.array(Instance).max(machinesMax, `expected ${machinesMax} machines at most`),
  complete: z.boolean().default(false),
})

/** What a provider answers. */
export interface Inventory {
  readonly machines: readonly Instance[]
  /** Whether these are all that there are. Only then can it mean anything that one is not among them. */
  readonly complete: boolean
}

/**
 * Reads an answer, whole or not at all: one that is wrong in one place is trusted in none.
 * @throws ProviderFault that names the fields which are wrong, and never what they hold
 */
export function parseInventory(answer: unknown): Inventory {
  const { success, data, error } = Inventory.safeParse(answer)
  if (!success) throw new ProviderFault(`its answer is no inventory: ${complaint(error)}`)
  // Those who list everything and find nothing look in the wrong place more often than they are right.
  if (data.complete && data.machines.length === 0)
    throw new ProviderFault('its inventory is complete and empty, which is no evidence of anything')
  return data
}

/** Reads an answer that is written as JSON. */
export function parseJsonInventory(text: string): Inventory {
  let answer: unknown
  try {
    answer = JSON.parse(text)
  } catch {
    throw new ProviderFault('its answer is not JSON')
  }
  return parseInventory(answer)
}

const complaint = ({ issues }: z.ZodError): string => {
  const said = issues.slice(0, issuesMax).map(({ path, message }) => `${path.join('.') || 'it'}: ${message}`)
  return [...said, ...(issues.length > issuesMax ? [`${issues.length - issuesMax} more`] : [])].join('; ')
}
