import type { DeploymentEvent } from '#contracts/deployment.ts'
import type { HealthEvent } from '#contracts/health.ts'
import type { MachineEvent } from '#contracts/machine.ts'
import type { Recorded } from '#contracts/message.ts'
import type { PolicyEvent } from '#contracts/policy.ts'
import type { MachineRow } from '#contracts/rows.ts'
import type { View } from '#libs/view.ts'
import { cargoKey, cargoOf, createManifest, isCargo, type Cargo } from './cargo.ts'
import { health, leftovers, policy, registry, unmet, withRelease } from './machine.ts'

const observes = [
  'MachineRegistered',
  'MachineReregistered',
  'MachineChanged',
  'MachineProbeChanged',
  'MachineQuarantined',
  'MachineReleased',
  'MachineEnabled',
  'MachineDisabled',
  'MachineDeregistered',
  'MachineRestored',
  'MachineBecameHealthy',
  'HealthCheckFailed',
  'HealthCheckPassed',
  'MachineBecameDegraded',
  'MachineBecameUnhealthy',
  'MachineBecameUnavailable',
  'HealthForgotten',
  'RemovalRequested',
  'RemovalWithheld',
  'RemovalDeferred',
  'RemovalsResumed',
  'RemovalAbandoned',
  'TargetMarkedDirty',
  'TargetCleaned',
  'DeploymentCreated',
  'DeploymentSucceeded',
  'DeploymentFailed',
  'DeploymentCancelled',
] as const

export type MachineFact = Extract<
  MachineEvent | HealthEvent | PolicyEvent | DeploymentEvent,
  { type: (typeof observes)[number] }
>
type Ended = Recorded<
  Extract<MachineFact, { type: 'DeploymentSucceeded' | 'DeploymentFailed' | 'DeploymentCancelled' }>
>
export type MachinesView = View<MachineRow | Cargo, MachineFact>

/**
 * Machines, also those that were removed, and those of which nothing is known yet but their health.
 * @param committed reads a row of this view as it was committed
 */
export function machinesView(committed: (key: string) => object | undefined): MachinesView {
  const manifest = createManifest(committed)

  function unloaded(row: MachineRow, fact: Ended, key: string): MachineRow | null | undefined {
    const { deploymentId } = fact.data
    const cargo = manifest.find(deploymentId)
    if (key !== cargoKey(deploymentId)) return cargo && withRelease(row, cargo, fact)
    manifest.forget(deploymentId)
    return null
  }

  return {
    name: 'machines.v4',
    observes,
    columns,
    indexes: [
      ['registered', 'key'],
      ['registered', 'status', 'key'],
      ['environmentId', 'registered', 'key'],
      ['environmentId', 'removedAt', 'key'],
      ['environmentId', 'name'],
    ],
    tally,

    keysOf(fact) {
      if (fact.type === 'RemovalsResumed') return fact.data.machineIds
      if ('machineId' in fact.data) return [fact.data.machineId]
      return manifest.keysOf(fact as Parameters<typeof manifest.keysOf>[0])
    },

    project(row, fact, key) {
      if (fact.type === 'DeploymentCreated') return cargoOf(fact)
      const known = row === undefined || isCargo(row) ? unmet(key) : row
      switch (fact.type) {
        case 'DeploymentSucceeded':
        case 'DeploymentFailed':
        case 'DeploymentCancelled':
          return unloaded(known, fact, key)
        case 'MachineBecameHealthy':
        case 'HealthCheckFailed':
        case 'HealthCheckPassed':
        case 'MachineBecameDegraded':
        case 'MachineBecameUnhealthy':
        case 'MachineBecameUnavailable':
        case 'HealthForgotten':
          return health(known, fact)
        case 'RemovalRequested':
        case 'RemovalWithheld':
        case 'RemovalDeferred':
        case 'RemovalsResumed':
        case 'RemovalAbandoned':
          return policy(known, fact)
        case 'TargetMarkedDirty':
        case 'TargetCleaned':
          return leftovers(known, fact)
        case 'MachineRegistered':
        case 'MachineReregistered':
        case 'MachineChanged':
        case 'MachineProbeChanged':
        case 'MachineQuarantined':
        case 'MachineReleased':
        case 'MachineEnabled':
        case 'MachineDisabled':
        case 'MachineDeregistered':
        case 'MachineRestored':
          return registry(known, fact)
      }
    },
  }
}

/** The machines of a read model, which look into the rows that it has committed. */
export function machinesOf(reader: { one(view: { name: string }, key: string): { doc: string } | undefined }) {
  const view: MachinesView = machinesView((key) => {
    const row = reader.one(view, key)
    return row && (JSON.parse(row.doc) as object)
  })
  return view
}

/** 1 for a registered machine, 0 for a removed one, null for what is no machine, or none that was ever registered. */
const standing = (row: MachineRow | Cargo): 1 | 0 | null => {
  if (isCargo(row)) return null
  if (row.registered) return 1
  return row.removal === null ? null : 0
}

const ofMachine =
  <Value extends string | number>(value: (row: MachineRow) => Value | null) =>
  (row: MachineRow | Cargo) =>
    isCargo(row) ? null : value(row)

const columns = {
  registered: standing,
  environmentId: ofMachine((row) => row.environmentId),
  status: ofMachine((row) => row.status),
  enabled: ofMachine((row) => (row.enabled ? 1 : 0)),
  /** With a space around each, so that one role is not found in the middle of another. */
  roles: ofMachine((row) => ` ${row.roles.join(' ')} `),
  search: ofMachine((row) => `${row.name} ${row.id}`.toLowerCase()),
  removedAt: ofMachine((row) => (row.registered ? null : (row.removal?.at ?? null))),
  /** Only of one that is registered: to find who has a name now. */
  name: ofMachine((row) => (row.registered ? row.name : null)),
  registeredAt: ofMachine((row) => row.registeredAt),
  /** The releases on it, set apart as the roles are. */
  installed: ofMachine(
    (row) => ` ${row.releases.map(({ projectId, version }) => `${projectId}@${version}`).join(' ')} `,
  ),
}

const tally = (row: MachineRow | Cargo): string | null => {
  if (isCargo(row) || !row.registered) return null
  const { environmentId, status, enabled, withheld, deferred, quarantined } = row
  const marks = [
    enabled ? '' : 'disabled',
    withheld && 'withheld',
    deferred && 'deferred',
    quarantined && 'quarantined',
  ]
  return [environmentId, status, ...marks.filter(Boolean)].join(' ')
}
