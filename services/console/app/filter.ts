import type { MachineRow } from '#contracts/rows.ts'

export const machineStatuses = [
  ...(['healthy', 'degraded', 'unhealthy', 'unavailable', 'lost', 'quarantined', 'unknown', 'disabled'] as const),
] as const
export type MachineStatus = (typeof machineStatuses)[number]

type Standing = Pick<MachineRow, 'enabled' | 'status' | 'quarantined' | 'deferred'>

/**
 * What a machine counts as at a glance. A disabled one is nothing else, since nothing is expected of it; one in
 * quarantine needs a person whatever else it is; one that its provider says is running, and does not answer, is lost.
 */
export function standingOf({ enabled, status, quarantined, deferred }: Standing): MachineStatus {
  if (quarantined !== null) return 'quarantined'
  if (!enabled) return 'disabled'
  return status === 'unavailable' && deferred?.clause === 'running-at-provider' ? 'lost' : status
}

export interface MachineFilter {
  readonly q: string
  readonly role: string
  readonly status: string
  readonly environment: string
}

/** Every word must be found somewhere in what one sees of the machine. */
export function matches(machine: MachineRow, { q, role, status, environment }: MachineFilter): boolean {
  if (environment !== '' && machine.environmentId !== environment) return false
  if (status !== '' && !isIn(machine, status)) return false
  if (role !== '' && !machine.roles.includes(role)) return false
  if (q.trim() === '') return true
  const text = textOf(machine)
  return q
    .toLowerCase()
    .trim()
    .split(/\s+/)
    .every((word) => text.includes(word))
}

/** Whether the machine has the status that is chosen; what is held against it can be chosen as well. */
function isIn(machine: MachineRow, status: string): boolean {
  if (status === 'withheld' || status === 'deferred' || status === 'dirty') return machine[status] !== null
  return standingOf(machine) === status
}

function textOf({ id, name, roles, status, environmentId, releases, facts, attributes }: MachineRow): string {
  const releaseWords = releases.map(({ projectId, version }) => `${projectId} ${version}`)
  const factWords = facts === null ? [] : [facts.hostname, facts.os, ...facts.addresses]
  const all = [id, name, environmentId, status, ...roles, ...releaseWords, ...factWords, ...Object.values(attributes)]
  return all.join(' ').toLowerCase()
}

export type SortKey = 'name' | 'status' | 'since'

const severity: readonly MachineStatus[] = [
  ...(['quarantined', 'lost', 'unavailable', 'unhealthy', 'degraded', 'unknown', 'disabled', 'healthy'] as const),
]
/** As people count: web-2 comes before web-10. */
export const byName = new Intl.Collator('en', { numeric: true })

/** Compares two machines: by name as people count (web-2 before web-10), by how bad it is, or newest change first. */
export function comparing(key: SortKey): (a: MachineRow, b: MachineRow) => number {
  const names = (a: MachineRow, b: MachineRow) => byName.compare(a.name, b.name)
  const rank = (machine: MachineRow) => severity.indexOf(standingOf(machine))
  if (key === 'status') return (a, b) => rank(a) - rank(b) || names(a, b)
  if (key === 'since') return (a, b) => (b.statusSince ?? '').localeCompare(a.statusSince ?? '') || names(a, b)
  return names
}

/** How many machines have each status, in the order in which they are shown; statuses nobody has are left out. */
export function tally(machines: readonly MachineRow[]): { status: MachineStatus; many: number }[] {
  const counts = new Map<MachineStatus, number>()
  for (const machine of machines) counts.set(standingOf(machine), (counts.get(standingOf(machine)) ?? 0) + 1)
  return machineStatuses.flatMap((status) => {
    const many = counts.get(status) ?? 0
    return many === 0 ? [] : [{ status, many }]
  })
}
