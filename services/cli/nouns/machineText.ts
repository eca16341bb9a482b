import type { MachineDetail } from '#contracts/fleetRows.ts'
import type { HealthEvidence } from '#contracts/health.ts'
import type { MachineRow } from '#contracts/rows.ts'
import { speakDuration } from '#libs/units.ts'
import type { Context } from '../context.ts'
import { listed, nothing, share, state } from '../format.ts'
import { when } from '../time.ts'
import { details, table, type Cell, type Column } from '../table.ts'

/** The machine's state in one word: what a person did to it comes before how it answers. */
function stateOf({ registered, enabled, status, withheld, deferred, quarantined, dirty }: MachineRow): Cell {
  if (!registered) return state('removed')
  if (quarantined !== null) return { text: 'quarantine', style: 'red' }
  if (!enabled) return state('disabled')
  if (dirty !== null) return { text: `${status}, dirty`, style: 'yellow' }
  if (withheld !== null) return { text: `${status}, held`, style: 'yellow' }
  return deferred === null ? state(status) : { text: `${status}, ${deferredWords[deferred.clause]}`, style: 'yellow' }
}

/** What a removal that waits is called in a word; a machine that its provider still runs counts as lost. */
const deferredWords: Readonly<Record<NonNullable<MachineRow['deferred']>['clause'], string>> = {
  protected: 'protected',
  'start-up': 'new',
  'quiet-hours': 'quiet',
  'running-at-provider': 'lost',
  'provider-silent': 'waiting',
  'still-answers': 'conflict',
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

export function machineDetails({ terminal, clock }: Context, row: MachineDetail): string {
  const { facts, evidence, withheld, deferred, quarantined, dirty, removal, silence } = row
  const attributes = Object.entries(row.attributes).map(([name, value]) => `${name}=${value}`)
  const known = details(terminal, [
    ['id', row.id],
    ['name', row.name],
    ['environment', row.environmentId],
    ['roles', listed(row.roles)],
    ['state', stateOf(row)],
    ['since', when(terminal, clock, row.statusSince)],
    ['disabled because', row.disabledReason],
    ['gone', silence && `${speakDuration(silence.goneMs)}, observed ${speakDuration(silence.observedMs)}`],
    ['evidence', evidence && evidenceWords(evidence)],
    ...row.failing.map(({ check, evidence: found }) => [`check ${check}`, evidenceWords(found)] as const),
    ['quarantine', quarantined && `${quarantined.detail}; remuda machine release ${row.name}`],
    ['dirty', dirty && `task ${dirty.taskId} may still run; if not: remuda machine enable ${row.name}`],
    ['removal deferred', deferred && `${deferred.clause}: ${deferred.detail}`],
    ['removal withheld', withheld && `${share(withheld.share)} unavailable; clears when ${withheld.clearsWhen}`],
    ['last removed', removal && `${when(terminal, clock, removal.at)} by ${removal.actor}: ${removal.cause.reason}`],
    ['agent', row.transport === 'agent' ? (facts?.agentVersion ?? nothing) : 'none'],
    ['probe', row.probe && probeWords(row.probe)],
    ['host', facts && `${facts.hostname}, ${facts.os} ${facts.arch}, ${facts.cpus} CPUs`],
    ['addresses', facts && listed(facts.addresses)],
    ['attributes', attributes.length === 0 ? null : attributes.join(', ')],
    ['registered', when(terminal, clock, row.registeredAt)],
  ])
  if (row.releases.length === 0) return `${known}\nNo release of any project is known to be on it.\n`
  return `${known}\n${table(terminal, releaseColumns({ terminal, clock }), row.releases)}`
}

const detailCharsMax = 100

/** What a verdict rests on: a finding where somebody looked, else how long nothing was heard. */
const evidenceWords = ({ kind, finding, detail, times = 1, silentMs }: HealthEvidence): string => {
  if (finding === undefined) return `${kind}, silent for ${speakDuration(silentMs)}`
  const [line = ''] = (detail ?? '').trim().split('\n', 1)
  const often = times > 1 ? `, ${times} times in a row` : ''
  return `${kind}, ${finding}${line === '' ? '' : ` (${line.slice(0, detailCharsMax)})`}${often}`
}

const probeWords = (probe: NonNullable<MachineRow['probe']>): string => {
  if (probe.kind === 'http') return probe.url
  const { host, port } = probe
  return probe.kind === 'tcp' ? `tcp://${host}:${port}` : `ssh://${probe.user}@${host}:${port}`
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
