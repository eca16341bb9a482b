import type { HealthStatus } from '#contracts/health.ts'
import type { MachineRow } from '#contracts/rows.ts'
import { withFields } from './answers.ts'
import type { Page, PageRequest } from './reader.ts'
import type { Query } from './service.ts'
import { environments } from './views/environments.ts'

/** Machines and environments, as they are or as they were. */
export type Fleet = Pick<Query, 'reader' | 'tallies' | 'machines' | 'position'> & {
  readonly clock: Pick<Query['clock'], 'wallMs' | 'steadyMs'>
}

export interface MachineFilter extends PageRequest {
  readonly environment?: string | undefined
  readonly role?: string | undefined
  readonly status?: string | undefined
  readonly q?: string | undefined
}

const marks = ['disabled', 'withheld', 'deferred', 'quarantined'] as const
type Counts = Record<HealthStatus | 'disabled', number>
const nobody = (): Counts => ({ unknown: 0, healthy: 0, degraded: 0, unhealthy: 0, unavailable: 0, disabled: 0 })

/** How many registered machines are how, by environment, and how many of all are marked. Nothing is counted here. */
export function machineCounts({ tallies, machines }: Fleet) {
  const byEnvironment = new Map<string, Counts>()
  const all = nobody()
  const marked = { disabled: 0, withheld: 0, deferred: 0, quarantined: 0 }
  for (const [heap, count] of tallies(machines)) {
    const [environmentId = '', status, ...on] = heap.split(' ')
    const counts = byEnvironment.get(environmentId) ?? nobody()
    byEnvironment.set(environmentId, counts)
    for (const sums of [counts, all]) {
      sums[status as HealthStatus] += count
      if (on.includes('disabled')) sums.disabled += count
    }
    for (const mark of marks) if (on.includes(mark)) marked[mark] += count
  }
  return { all, marked, of: (environmentId: string): Counts => byEnvironment.get(environmentId) ?? nobody() }
}

export function environmentPage(query: Fleet, page: PageRequest): Page {
  const counts = machineCounts(query)
  const { docs, next } = query.reader.page({
    list: 'environments',
    view: environments,
    where: [],
    order: ['key'],
    ...page,
  })
  return { docs: docs.map((doc) => withCounts(doc, counts)), next }
}

export function environmentDoc(query: Fleet, id: string): string | undefined {
  const row = query.reader.one(environments, id)
  return row && withCounts(row.doc, machineCounts(query))
}

const withCounts = (doc: string, counts: ReturnType<typeof machineCounts>) =>
  withFields(doc, { machines: JSON.stringify(counts.of((JSON.parse(doc) as { id: string }).id)) })

export function machinePage(
  { reader, machines }: Fleet,
  { environment, role, status, q, ...page }: MachineFilter,
): Page {
  return reader.page({
    list: 'machines',
    view: machines,
    where: [
      environment === undefined ? undefined : ['environmentId = ?', environment],
      ['registered = 1'],
      status === undefined ? undefined : statusFilter(status),
      role === undefined ? undefined : ['instr(roles, ?) > 0', ` ${role} `],
      q === undefined ? undefined : ['instr(search, ?) > 0', q.toLowerCase()],
    ],
    order: ['key'],
    ...page,
  })
}

const statusFilter = (status: string) =>
  status === 'disabled' ? (['enabled = 0'] as const) : (['status = ?', status] as const)

/** A machine that is or was registered; what is known only by its health is none yet. */
export function machineRow({ reader, machines }: Fleet, id: string): { row: MachineRow; doc: string } | undefined {
  const kept = reader.one(machines, id)
  const row = kept && (JSON.parse(kept.doc) as MachineRow)
  return row && 'id' in row && (row.registered || row.removal !== null) ? { row, doc: kept.doc } : undefined
}
