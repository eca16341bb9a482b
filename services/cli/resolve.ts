import type { EnvironmentRow, MachineRow } from '#contracts/rows.ts'
import { path, type Client, type Page } from './client.ts'
import { CliError, exits } from './exit.ts'
import { ApiProblem } from './failure.ts'

export interface Where {
  /** Looks only among the machines of this environment. */
  readonly environment?: string | undefined
  /** Looks also among machines that were removed: before those that are registered, or when none of these is meant. */
  readonly removed?: 'first' | 'last'
}

const candidatesMax = 10
const idPattern = /^[a-z0-9][a-z0-9-]{0,62}$/

/**
 * The machine that a person means by an id or a name. A name counts only when it is the name of one machine.
 * @throws CliError that lists who else could be meant
 */
export async function findMachine(client: Client, given: string, where: Where = {}): Promise<MachineRow> {
  const byId = idPattern.test(given) ? await machineById(client, given) : null
  if (byId !== null) return byId
  const candidates = await candidatesFor(client, given, where)
  const named = candidates.filter(({ name }) => name === given)
  if (named.length === 1 && named[0] !== undefined) return named[0]
  if (named.length > 1) throw ambiguous(given, named)
  throw unknown(given, where, candidates)
}

async function candidatesFor(client: Client, given: string, where: Where): Promise<readonly MachineRow[]> {
  const isNamed = ({ name }: MachineRow) => name === given
  if (where.removed === 'first') {
    const gone = (await removedMachines(client, where)).filter(isNamed)
    if (gone.length > 0) return gone
  }
  const registered = await machinesLike(client, given, where)
  if (where.removed !== 'last' || registered.some(isNamed)) return registered
  return [...registered, ...(await removedMachines(client, where))]
}

/** The same for several, in the order in which they were named. */
export async function findMachines(client: Client, given: readonly string[], where: Where = {}): Promise<MachineRow[]> {
  const found: MachineRow[] = []
  for (const one of given) found.push(await findMachine(client, one, where))
  return found
}

async function machineById(client: Client, id: string): Promise<MachineRow | null> {
  try {
    return await client.get<MachineRow>(path`machines/${id}`)
  } catch (error) {
    if (error instanceof ApiProblem && error.code === 'MACHINE_UNKNOWN') return null
    throw error
  }
}

async function machinesLike(client: Client, q: string, { environment }: Where): Promise<readonly MachineRow[]> {
  return (await client.get<Page<MachineRow>>('machines', { q, environment, limit: 200 })).items
}

async function removedMachines(client: Client, { environment }: Where): Promise<readonly MachineRow[]> {
  const all = environment === undefined ? await Array.fromAsync(client.rows<EnvironmentRow>('environments')) : []
  const ids = environment === undefined ? all.map(({ id }) => id) : [environment]
  const lists = ids.map((id) => Array.fromAsync(client.rows<MachineRow>(path`environments/${id}/removed`)))
  return (await Promise.all(lists)).flat()
}

const described = ({ id, name, environmentId }: MachineRow) => `${id} (${name} in ${environmentId})`

const ambiguous = (given: string, candidates: readonly MachineRow[]) =>
  new CliError(
    exits.refused,
    'MACHINE_AMBIGUOUS',
    `${given} is the name of ${candidates.length} machines: ${shortened(candidates)}.`,
    'give the id of one of them, or --environment',
  )

function unknown(given: string, { environment }: Where, candidates: readonly MachineRow[]): CliError {
  const where = environment === undefined ? '' : ` in ${environment}`
  const alike = candidates.filter(({ id, name }) => name.includes(given) || id.includes(given))
  const near = alike.length === 0 ? '' : ` Near it: ${shortened(alike)}.`
  return new CliError(
    exits.notFound,
    'MACHINE_UNKNOWN',
    `There is no machine ${given}${where}.${near}`,
    'remuda machine list',
  )
}

const shortened = (machines: readonly MachineRow[]): string => {
  const more = machines.length > candidatesMax ? ` and ${machines.length - candidatesMax} more` : ''
  return machines.slice(0, candidatesMax).map(described).join(', ') + more
}
