import type { HealthStatus } from '#contracts/health.ts'
import type { MachineRow } from '#contracts/rows.ts'
import { withFields } from './answers.ts'
import type { Page, PageRequest } from './reader.ts'
import type { Query } from './service.ts'
import { environments } from './views/environments.ts'

export interface MachineFilter extends PageRequest {
  readonly environment?: string | undefined
  readonly role?: string | undefined
  readonly status?: string | undefined
  readonly q?: string | undefined
}

type Counts = Record<HealthStatus | 'disabled', number>
const nobody = (): Counts => ({ unknown: 0, healthy: 0, degraded: 0, unhealthy: 0, unavailable: 0, disabled: 0 })

/** How many registered machines are how, by environment, and of how many the removal is withheld. Nothing is counted here. */
export function machineCounts({ tallies, machines }: Query) {
  const byEnvironment = new Map<string, Counts>()
  const all = nobody()
  let withheld = 0
  for (const [heap, count] of tallies(machines)) {
    const [environmentId = '', status, enabled, held] = heap.split(' ')
    const counts = byEnvironment.get(environmentId) ?? nobody()
    byEnvironment.set(environmentId, counts)
    for (const sums of [counts, all]) {
      sums[status as HealthStatus] += count
      if (enabled === 'disabled') sums.disabled += count
    }
    if (held === 'withheld') withheld += count
  }
  return { all, withheld, of: (environmentId: string): Counts => byEnvironment.get(environmentId) ?? nobody() }
}

export function environmentPage(query: Query, page: PageRequest): Page {
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

export function environmentDoc(query: Query, id: string): string | undefined {
  const row = query.reader.one(environments, id)
  return row && withCounts(row.doc, machineCounts(query))
}

const withCounts = (doc: string, counts: ReturnType<typeof machineCounts>) =>
  withFields(doc, { machines: JSON.stringify(counts.of((JSON.parse(doc) as { id: string }).id)) })

export function machinePage(
  { reader, machines }: Query,
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
export function machineRow({ reader, machines }: Query, id: string): { row: MachineRow; doc: string } | undefined {
  const kept = reader.one(machines, id)
  const row = kept && (JSON.parse(kept.doc) as MachineRow)
  return row && 'id' in row && (row.registered || row.removal !== null) ? { row, doc: kept.doc } : undefined
}

/**
 * The machines that were removed from an environment lately, the latest first.
 * @param since the earliest removal that is still listed, in ISO 8601
 */
export function removedPage(
  { reader, machines }: Query,
  environmentId: string,
  since: string,
  page: PageRequest,
): Page {
  return reader.page({
    list: 'removed',
    view: machines,
    where: [
      ['environmentId = ?', environmentId],
      ['removedAt >= ?', since],
    ],
    order: ['removedAt', 'key'],
    descending: true,
    ...page,
  })
}
