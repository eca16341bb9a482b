/** Where a value holds. What is left out names nothing. */
export interface Scope {
  readonly environments: readonly string[]
  readonly roles: readonly string[]
  /** Ids or names. */
  readonly machines?: readonly string[] | undefined
  readonly steps?: readonly string[] | undefined
}

/** Where a task runs: what the scopes of variables are held against. */
export interface Place {
  readonly environmentId: string
  readonly machineId: string
  readonly machineName: string
  readonly roles: readonly string[]
  readonly stepId: string
}

type Dimension = readonly [named: readonly string[] | undefined, fits: (name: string) => boolean]

/**
 * The variables that hold at a place, one for each name: the most specific of those whose scope fits.
 *
 * A scope fits when each dimension that names something names this place: one of the environments, and one of the
 * roles, and so on; a dimension that names nothing fits everywhere. Of those that fit, what decides is, in this order:
 *
 * 1. the most specific dimension that is named: machine, then step, then role, then environment, then none;
 * 2. how many dimensions are named: role and environment win over role alone;
 * 3. which comes later in the list.
 */
export function variablesAt<One extends Scope & { readonly name: string }>(
  variables: readonly One[],
  place: Place,
): ReadonlyMap<string, One> {
  const chosen = new Map<string, { readonly rank: number; readonly variable: One }>()
  for (const variable of variables) {
    const rank = rankAt(variable, place)
    if (rank !== null && rank >= (chosen.get(variable.name)?.rank ?? 0)) chosen.set(variable.name, { rank, variable })
  }
  return new Map([...chosen].map(([name, { variable }]) => [name, variable]))
}

/** How specific a scope is, as a number to compare; null when it does not fit. */
function rankAt({ environments, roles, machines, steps }: Scope, place: Place): number | null {
  // From the least specific to the most specific.
  const dimensions: readonly Dimension[] = [
    [environments, (name) => name === place.environmentId],
    [roles, (name) => place.roles.includes(name)],
    [steps, (name) => name === place.stepId],
    [machines, (name) => name === place.machineId || name === place.machineName],
  ]
  const named = dimensions.filter(([names]) => names !== undefined && names.length > 0)
  if (!named.every(([names, fits]) => names!.some(fits))) return null
  const mostSpecific = dimensions.findLastIndex((dimension) => named.includes(dimension)) + 1
  return mostSpecific * (dimensions.length + 1) + named.length
}

/** Whether both scopes can fit one place. A machine may have any roles together, so roles never keep scopes apart. */
export const mayMeet = (a: Scope, b: Scope): boolean =>
  overlap(a.environments, b.environments) && overlap(a.machines, b.machines) && overlap(a.steps, b.steps)

// A machine may be named by its id in one and by its name in the other, which cannot be told from here; naming it both
// ways in one set of variables is rare, and what is missed is still found when a task is handed out.
const overlap = (a: readonly string[] = [], b: readonly string[] = []): boolean =>
  a.length === 0 || b.length === 0 || a.some((name) => b.includes(name))

/** The same scope is written alike, in whatever order its names are given. */
export const scopeOf = ({ environments, roles, machines = [], steps = [] }: Scope) => ({
  environments: [...new Set(environments)].toSorted(),
  roles: [...new Set(roles)].toSorted(),
  machines: [...new Set(machines)].toSorted(),
  steps: [...new Set(steps)].toSorted(),
})

export const sameScope = (a: Scope, b: Scope): boolean => JSON.stringify(scopeOf(a)) === JSON.stringify(scopeOf(b))
