import { ineligibility, workerRole } from '#contracts/eligibility.ts'
import type { MachineRow, ProjectRow, ReleaseRow } from '#contracts/rows.ts'
import { tableOf } from '#libs/view.ts'
import { machineRow } from './fleet.ts'
import type { Query } from './service.ts'
import { silenceOf } from './silence.ts'
import { deployments, type KeptDeployment } from './views/deployments.ts'
import { environments } from './views/environments.ts'
import { projects, releaseKey, releases } from './views/projects.ts'
import { verdicts, type Verdict } from './views/verdicts.ts'

/** The release that machines of an environment should have, of one project. */
export interface Desired {
  readonly environmentId: string
  readonly projectId: string
  readonly version: string
  readonly because: 'override' | 'last-success'
  /** Since when; null for an override, of which only the present one is known. */
  readonly since: string | null
  readonly targetRoles: readonly string[]
}

/** What a project's machines in an environment should have: what a person pinned, or else what last went well there. */
export function desiredRelease(
  { reader }: Query,
  { id: projectId, overrides }: ProjectRow,
  environmentId: string,
): Desired | null {
  const pinned = overrides[environmentId]
  const sql = `SELECT doc FROM ${tableOf(deployments)}
    WHERE environmentId = ? AND projectId = ? AND decides IS NOT NULL ORDER BY id DESC LIMIT 1`
  const [last] = pinned === undefined ? reader.rows(sql, environmentId, projectId) : []
  const success = last && (JSON.parse(String(last[0])) as KeptDeployment)
  const version = pinned ?? success?.version
  const release = version === undefined ? undefined : reader.one(releases, releaseKey(projectId, version))
  if (version === undefined || release === undefined) return null
  const { targetRoles } = JSON.parse(release.doc) as ReleaseRow
  const because = pinned === undefined ? 'last-success' : 'override'
  return { environmentId, projectId, version, because, since: success?.endedAt ?? null, targetRoles }
}

const allProjects = ({ reader }: Query): ProjectRow[] =>
  reader.rows(`SELECT doc FROM ${tableOf(projects)} ORDER BY key`).map(([doc]) => JSON.parse(String(doc)) as ProjectRow)

/** Why a machine is as it is, and why it has, or has not, the releases that it should have. */
export function explain(query: Query, machineId: string, projectId: string | undefined) {
  const machine = machineRow(query, machineId)?.row
  if (machine === undefined) return undefined
  const said = verdictsOn(query, machineId)
  const about = allProjects(query).filter(({ id }) => projectId === undefined || id === projectId)
  return {
    ...{ machineId, name: machine.name, environmentId: machine.environmentId },
    registered: machine.registered,
    state: stateOf(machine),
    silence: silenceOf(query, machine),
    removal: said.find((verdict) => verdict.projectId === null) ?? null,
    projects: about.map((project) => releaseOn(query, machine, project, said)),
  }
}

function verdictsOn({ reader }: Query, machineId: string): Verdict[] {
  const rows = reader.rows(`SELECT doc FROM ${tableOf(verdicts)} WHERE machineId = ? ORDER BY key`, machineId)
  return rows.map(([doc]) => JSON.parse(String(doc)) as Verdict)
}

/** Each thing that is so, since when and by which fact, as sentences for people. */
function stateOf(machine: MachineRow): readonly string[] {
  const { registered, registeredAt, removal, enabled, disabledReason, status, statusSince } = machine
  const { withheld, deferred, quarantined } = machine
  return [
    registered ? `It is registered since ${registeredAt}.` : `It was removed at ${removal?.at} by ${removal?.actor}.`,
    removal === null
      ? ''
      : `Its last removal, at ${removal.at}, was for: ${removal.cause.reason} (${removal.cause.kind}).`,
    enabled ? '' : `It is disabled: ${disabledReason}.`,
    statusSince === null ? 'Nothing is known of its health.' : `It is ${status} since ${statusSince}.`,
    quarantined === null ? '' : `It is in quarantine since ${quarantined.at}: ${quarantined.detail}.`,
    withheld === null ? '' : `Its removal is withheld until ${withheld.clearsWhen}.`,
    deferred === null ? '' : `Its removal is deferred since ${deferred.at} (${deferred.clause}): ${deferred.detail}.`,
  ].filter((sentence) => sentence !== '')
}

function releaseOn(query: Query, machine: MachineRow, project: ProjectRow, said: readonly Verdict[]) {
  const desired = desiredRelease(query, project, machine.environmentId)
  const installed = machine.releases.find(({ projectId }) => projectId === project.id) ?? null
  const verdict = said.find(({ projectId }) => projectId === project.id) ?? null
  const because = standing(machine, desired, installed?.version)
  return { projectId: project.id, because, desired, installed, verdict }
}

/** Whether the machine has what it should have, or the first clause that says why it need not. */
function standing(machine: MachineRow, desired: Desired | null, installed: string | undefined): string {
  if (desired === null) return 'nothing-desired'
  const { quarantined, environmentId, transport } = machine
  const candidate = { ...machine, quarantined: quarantined !== null, hasAgent: transport === 'agent' }
  const clause = ineligibility(candidate, environmentId, desired.targetRoles)
  if (clause !== null) return clause
  if (machine.roles.includes(workerRole)) return 'worker'
  return installed === desired.version ? 'converged' : 'not-converged'
}

/** Machines that are to have another release than they have, those that have waited longest first. */
export function convergence(query: Query, { environment, limit }: { environment?: string | undefined; limit: number }) {
  const ids = query.reader.rows(`SELECT key FROM ${tableOf(environments)} ORDER BY key`).map(([id]) => String(id))
  const all = allProjects(query)
  const lagging = ids
    .filter((id) => environment === undefined || id === environment)
    .flatMap((id) => all.flatMap((project) => desiredRelease(query, project, id) ?? []))
    .flatMap((desired) => laggingBehind(query, desired, limit))
  return lagging.toSorted((a, b) => (a.since < b.since ? -1 : 1)).slice(0, limit)
}

function laggingBehind({ reader, machines }: Query, desired: Desired, limit: number) {
  const { environmentId, projectId, version, since, targetRoles } = desired
  const roles = targetRoles.map(() => 'instr(roles, ?) > 0').join(' OR ') || '1'
  const sql = `SELECT doc FROM ${tableOf(machines)} WHERE environmentId = ? AND registered = 1 AND enabled = 1
    AND doc ->> 'transport' = 'agent'
    AND instr(installed, ?) = 0 AND instr(roles, ' ${workerRole} ') = 0 AND (${roles}) ORDER BY registeredAt LIMIT ?`
  const rows = reader.rows(
    sql,
    environmentId,
    ` ${projectId}@${version} `,
    ...targetRoles.map((role) => ` ${role} `),
    limit,
  )
  return rows.map(([doc]) => {
    const { id, name, status, registeredAt, releases: on } = JSON.parse(String(doc)) as MachineRow
    const installed = on.find((release) => release.projectId === projectId)?.version ?? null
    const waiting = [since ?? '', registeredAt ?? ''].reduce((later, at) => (at > later ? at : later))
    return { machineId: id, name, environmentId, status, projectId, desired: version, installed, since: waiting }
  })
}
