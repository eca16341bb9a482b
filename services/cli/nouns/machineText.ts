import type { MachineRow } from '#contracts/rows.ts'
import { speakDuration } from '#libs/units.ts'
import type { Context } from '../context.ts'
import { listed, nothing, share, state } from '../format.ts'
import { when } from '../time.ts'
import { details, table, type Cell, type Column } from '../table.ts'

/** The machine's state in one word: what a person did to it comes before how it answers. */
function stateOf({ registered, enabled, status, withheld }: MachineRow): Cell {
  if (!registered) return state('removed')
  if (!enabled) return state('disabled')
  return withheld === null ? state(status) : { text: `${status}, held`, style: 'yellow' }
}

const installed = ({ releases }: MachineRow) =>
  listed(releases.map(({ projectId, version }) => `${projectId} ${version}`))

export const machineColumns = ({ terminal, clock }: Context): readonly Column<MachineRow>[] => [
  { title: 'id', cell: ({ id }) => id },
  { title: 'name', cell: ({ name }) => name, flexible: true },
  { title: 'environment', cell: ({ environmentId }) => environmentId },
  { title: 'state', cell: stateOf },
  { title: 'since', cell: ({ statusSince }) => when(terminal, clock, statusSince) },
  { title: 'roles', cell: ({ roles }) => listed(roles), flexible: true },
  { title: 'releases', cell: installed, flexible: true },
]

export function machineDetails({ terminal, clock }: Context, row: MachineRow): string {
  const { facts, evidence, withheld, removal } = row
  const attributes = Object.entries(row.attributes).map(([name, value]) => `${name}=${value}`)
  const known = details(terminal, [
    ['id', row.id],
    ['name', row.name],
    ['environment', row.environmentId],
    ['roles', listed(row.roles)],
    ['state', stateOf(row)],
    ['since', when(terminal, clock, row.statusSince)],
    ['disabled because', row.disabledReason],
    ['evidence', evidence === null ? null : `${evidence.kind}, silent for ${speakDuration(evidence.silentMs)}`],
    ['removal withheld', withheld && `${share(withheld.share)} unavailable; clears when ${withheld.clearsWhen}`],
    ['last removed', removal && `${when(terminal, clock, removal.at)} by ${removal.actor}: ${removal.cause.reason}`],
    ['agent', row.transport === 'none' ? 'none' : (facts?.agentVersion ?? nothing)],
    ['host', facts && `${facts.hostname}, ${facts.os} ${facts.arch}, ${facts.cpus} CPUs`],
    ['addresses', facts && listed(facts.addresses)],
    ['attributes', attributes.length === 0 ? null : attributes.join(', ')],
    ['registered', when(terminal, clock, row.registeredAt)],
  ])
  if (row.releases.length === 0) return `${known}\nNo release of any project is known to be on it.\n`
  return `${known}\n${table(terminal, releaseColumns({ terminal, clock }), row.releases)}`
}

const releaseColumns = ({
  terminal,
  clock,
}: Pick<Context, 'terminal' | 'clock'>): readonly Column<MachineRow['releases'][number]>[] => [
  { title: 'project', cell: ({ projectId }) => projectId },
  { title: 'version', cell: ({ version }) => version },
  { title: 'installed', cell: ({ at }) => when(terminal, clock, at) },
  { title: 'deployment', cell: ({ deploymentId }) => deploymentId },
]
