import type { DeploymentEvent } from '#contracts/deployment.ts'
import type { HealthEvent, HealthEvidence, HealthStatus } from '#contracts/health.ts'
import type { MachineEvent } from '#contracts/machine.ts'
import type { Recorded } from '#contracts/message.ts'
import type { PolicyEvent } from '#contracts/policy.ts'
import type { MachineRow } from '#contracts/rows.ts'
import type { Cargo } from './cargo.ts'
import { iso } from './iso.ts'

type Leftover = Extract<DeploymentEvent, { type: 'TargetMarkedDirty' | 'TargetCleaned' }>
type Removal = Extract<PolicyEvent, { type: `Removal${string}` }>

/** A machine of which nothing is known: its health may be heard of before its registration. */
export const unmet = (id: string): MachineRow => ({
  id,
  name: '',
  environmentId: '',
  roles: [],
  registered: false,
  enabled: true,
  disabledReason: null,
  status: 'unknown',
  statusSince: null,
  silentSince: null,
  evidence: null,
  failing: [],
  transport: 'none',
  probe: null,
  quarantined: null,
  dirty: null,
  facts: null,
  attributes: {},
  releases: [],
  withheld: null,
  deferred: null,
  removal: null,
  registeredAt: null,
  changedAt: '',
})

/** Who the machine is, and whether it belongs to the fleet. Its health and its releases stay what they are. */
export function registry(row: MachineRow, { type, data, meta }: Recorded<MachineEvent>): MachineRow {
  const at = iso(meta.at)
  const known = { ...row, changedAt: at }
  switch (type) {
    case 'MachineRegistered': {
      const { name, environmentId, roles, facts, attributes, publicKey } = data
      const transport = publicKey === null ? (row.probe?.kind ?? 'none') : 'agent'
      const who = { name, environmentId, roles, facts, attributes, transport, dirty: null } as const
      return { ...known, ...who, registered: true, registeredAt: at }
    }
    case 'MachineReregistered':
      return { ...known, facts: data.facts, attributes: data.attributes }
    case 'MachineChanged':
      return { ...known, name: data.name, environmentId: data.environmentId, roles: data.roles }
    case 'MachineProbeChanged': {
      const { probe } = data
      return { ...known, probe, transport: row.transport === 'agent' ? 'agent' : (probe?.kind ?? 'none') }
    }
    case 'MachineQuarantined':
      return { ...known, quarantined: { at, detail: data.detail } }
    case 'MachineReleased':
      return { ...known, quarantined: null }
    case 'MachineEnabled':
      return { ...known, enabled: true, disabledReason: null, dirty: null }
    case 'MachineDisabled':
      return { ...known, enabled: false, disabledReason: data.reason }
    case 'MachineDeregistered': {
      const { cause, evidence, policyVersion } = data
      const removal = { at, cause, evidence, policyVersion, actor: meta.actor }
      return { ...known, registered: false, withheld: null, deferred: null, removal }
    }
    case 'MachineRestored': {
      const { name, environmentId, roles } = data
      return { ...known, name, environmentId, roles, registered: true, registeredAt: at }
    }
  }
}

/** How the machine is. It says nothing of whether it belongs to the fleet: that a removed one answers brings none back. */
export function health(row: MachineRow, { type, data, meta }: Recorded<HealthEvent>): MachineRow {
  const at = iso(meta.at)
  const known = { ...row, changedAt: at }
  switch (type) {
    case 'MachineBecameHealthy':
      return answering(known, 'healthy', data.evidence)
    case 'MachineBecameDegraded':
      return answering(known, 'degraded', data.evidence)
    case 'MachineBecameUnhealthy':
      return answering(known, 'unhealthy', data.evidence)
    case 'HealthCheckFailed': {
      const { check, level = 'failure', evidence } = data
      if (check === 'heartbeat') return { ...known, evidence }
      const failing = [...row.failing.filter((one) => one.check !== check), { check, level, at, evidence }]
      return { ...known, failing, evidence }
    }
    case 'HealthCheckPassed':
      return { ...known, failing: row.failing.filter(({ check }) => check !== data.check) }
    case 'MachineBecameUnavailable':
      return { ...known, status: 'unavailable', statusSince: at, silentSince: data.at, evidence: data.evidence }
    case 'HealthForgotten':
      return { ...known, status: 'unknown', statusSince: null, silentSince: null, evidence: null, failing: [] }
  }
}

/** It answers, so nothing that its silence led to holds any more. */
function answering(row: MachineRow, status: HealthStatus, evidence: HealthEvidence): MachineRow {
  return { ...row, status, statusSince: row.changedAt, silentSince: null, deferred: null, evidence }
}

/** What policy wants with the machine. Of one that is not registered it wants nothing any more. */
export function policy(row: MachineRow, { type, data, meta }: Recorded<Removal>): MachineRow | undefined {
  if (!row.registered) return undefined
  const known = { ...row, changedAt: iso(meta.at) }
  switch (type) {
    case 'RemovalWithheld': {
      const { share, thresholdShare, clearsWhen } = data
      return { ...known, withheld: { share, thresholdShare, clearsWhen } }
    }
    case 'RemovalDeferred': {
      const { clause, detail } = data
      return { ...known, deferred: { clause, detail, at: known.changedAt } }
    }
    case 'RemovalRequested':
    case 'RemovalsResumed':
    case 'RemovalAbandoned':
      if (row.withheld === null && row.deferred === null) return undefined
      return { ...known, withheld: null, deferred: null }
  }
}

/** Whether a task may still run there that was given up. Whoever enables the machine says that none does. */
export function leftovers(row: MachineRow, { type, data, meta }: Recorded<Leftover>): MachineRow | undefined {
  const { deploymentId, taskId } = data
  const changedAt = iso(meta.at)
  switch (type) {
    case 'TargetMarkedDirty':
      return { ...row, dirty: { at: changedAt, deploymentId, taskId }, changedAt }
    case 'TargetCleaned':
      return row.dirty?.taskId === taskId ? { ...row, dirty: null, changedAt } : undefined
  }
}

/** A deployment that succeeded on the machine has put its release there, in place of the project's former one. */
export function withRelease(row: MachineRow, { projectId, version }: Cargo, { data, meta }: Recorded<DeploymentEvent>) {
  const at = iso(meta.at)
  const others = row.releases.filter((release) => release.projectId !== projectId)
  const releases = [...others, { projectId, version, deploymentId: data.deploymentId, at }]
  return { ...row, releases, changedAt: at }
}
