import { refuse, type Refusal } from '#libs/decider.ts'

/** What the registry knows beside the machine itself: which environments there are, and who has which name. */
export interface Neighbours {
  readonly environmentExists: (environmentId: string) => boolean
  /** The registered machine that has this name in this environment. */
  readonly holderOf: (environmentId: string, name: string) => string | undefined
}

interface Who {
  readonly name: string
  readonly environmentId: string
}

const nameCharsMax = 63

/** Why the machine cannot have this name in this environment; null when it can, or has it. */
export function whyNot(machineId: string, who: Who, neighbours: Neighbours): Refusal | null {
  const { environmentId, name } = who
  if (!neighbours.environmentExists(environmentId))
    return refuse('ENVIRONMENT_UNKNOWN', `There is no environment ${environmentId}.`)
  const holder = neighbours.holderOf(environmentId, name)
  if (holder === undefined || holder === machineId) return null
  return refuse('MACHINE_NAME_TAKEN', `${name} is the name of ${holder} in ${environmentId}.`)
}

/** The name itself, or `<name>-2`, `<name>-3`... when others have taken it: nobody who comes back is turned away for it. */
export function nameFor(machineId: string, { environmentId, name }: Who, { holderOf }: Neighbours): string {
  const mayHave = (wanted: string) => [undefined, machineId].includes(holderOf(environmentId, wanted))
  let free = name
  for (let count = 2; !mayHave(free); count++) {
    const suffix = `-${count}`
    free = name.slice(0, nameCharsMax - suffix.length) + suffix
  }
  return free
}
