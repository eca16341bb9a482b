import type { DeploymentEvent } from '#contracts/deployment.ts'
import type { HealthEvent } from '#contracts/health.ts'
import type { MachineEvent } from '#contracts/machine.ts'
import type { PolicyEvent } from '#contracts/policy.ts'
import type { View } from '#libs/view.ts'

type Fact = MachineEvent | HealthEvent | PolicyEvent | DeploymentEvent
type MachinesOf = {
  readonly [Type in Fact['type']]?: (data: Extract<Fact, { type: Type }>['data']) => readonly string[]
}
type Named = { readonly machineId: string }

const own = ({ machineId }: Named) => [machineId]
const listed = ({ machineIds }: { readonly machineIds: readonly string[] }) => machineIds
const idsOf = (...lists: (readonly Named[])[]) => lists.flat().map(({ machineId }) => machineId)
const ended = ({ outcomes }: { readonly outcomes: readonly Named[] }) => idsOf(outcomes)

/** The facts that belong to the story of a machine, and which machines each is about. */
const machinesOf = {
  MachineRegistered: own,
  MachineReregistered: own,
  MachineChanged: own,
  MachineProbeChanged: own,
  MachineQuarantined: own,
  MachineReleased: own,
  MachineEnabled: own,
  MachineDisabled: own,
  MachineDeregistered: own,
  MachineRestored: own,
  MachineBecameHealthy: own,
  HealthCheckFailed: own,
  HealthCheckPassed: own,
  MachineBecameDegraded: own,
  MachineBecameUnhealthy: own,
  MachineBecameUnavailable: own,
  HealthForgotten: own,
  RemovalRequested: own,
  RemovalWithheld: own,
  RemovalDeferred: own,
  MassFailureDetected: listed,
  DecisionReverted: listed,
  RemovalsResumed: listed,
  RemovalAbandoned: own,
  AutomaticDeploymentRequested: listed,
  AutomaticDeploymentSkipped: own,
  ReleaseCircuitOpened: listed,
  TargetsEvaluated: ({ included, excluded }) => idsOf(included, excluded),
  TargetExcluded: own,
  TargetsReevaluated: ({ added, removed, leftOut = [] }) => idsOf(added, removed, leftOut),
  TargetsRevalidated: ({ joined, ignored }) => idsOf(joined, ignored),
  TargetExclusionRequested: own,
  TargetExclusionLifted: own,
  TargetIncluded: own,
  TaskDispatched: own,
  TaskStarted: own,
  TaskSucceeded: own,
  TaskFailed: own,
  TaskLost: own,
  TargetMarkedDirty: own,
  TargetCleaned: own,
  MachineDeregistrationRequested: own,
  DeploymentSucceeded: ended,
  DeploymentFailed: ended,
  DeploymentCancelled: ended,
} satisfies MachinesOf

/** Which events, by position in the store, a machine's history is made of. */
export interface MachineEventEntry {
  readonly machineId: string
  readonly at: number
  readonly type: string
  /** The id of the event, by which those that follow from it name it. */
  readonly event: string
}

export const machineEvents: View<MachineEventEntry, Fact> = {
  name: 'machine-events.v5',
  observes: Object.keys(machinesOf) as (keyof typeof machinesOf)[],
  keysOf({ type, data, meta }) {
    const machines = (machinesOf as Record<string, (data: Fact['data']) => readonly string[]>)[type]?.(data) ?? []
    return machines.map((machineId) => `${machineId}@${meta.position}`)
  },
  columns: {
    machineId: (row) => row.machineId,
    at: (row) => row.at,
    type: (row) => row.type,
    event: (row) => row.event,
  },
  indexes: [['machineId', 'at'], ['event']],
  project: (_, { type, meta }, key) => {
    const machineId = key.slice(0, key.lastIndexOf('@'))
    return { machineId, at: meta.position, type, event: meta.id }
  },
}
