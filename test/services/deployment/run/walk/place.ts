import type { DeploymentEvent } from '#contracts/deployment.ts'
import { workerRole } from '#contracts/eligibility.ts'
import { Process } from '#contracts/process.ts'
import { isRefusal } from '#libs/decider.ts'
import { targetRolesOf } from '#services/deployment/project/mistakes.ts'
import { run, type RunRequest } from '#services/deployment/run/decider.ts'
import { noRun } from '#services/deployment/run/noRun.ts'
import type { Created, Run } from '#services/deployment/run/state.ts'
import { Servings } from '#services/deployment/run/swap/servings.ts'
import { isContactable } from '#services/deployment/run/world.ts'
import type { ChildDeployment, FleetMachine, Hold, World } from '#services/deployment/run/world.ts'

export const deploymentId = '00000000-0000-4000-8000-000000000001'
export const environmentId = 'production'
export const leaseMs = 120_000
const startMs = 1_000_000

/** Where a run stands, and the fleet around it: all that its future depends on. */
export interface Place {
  readonly run: Run
  readonly fleet: Readonly<Record<string, FleetMachine>>
  /** Machines on which another deployment has a task. */
  readonly busy: readonly string[]
  /** Whether it is its turn. */
  readonly first: boolean
  /** What was brought to the whole environment while it waited. */
  readonly newer: string | null
  readonly nowMs: number
  /** How the deployment stands that a step has made. */
  readonly child?: ChildDeployment['state']
  /** Whether machines with a task give signs of life for ever. */
  readonly chatty: boolean
  /** What it is still to wait for before it is its turn, the next one first. */
  readonly holds?: readonly Hold[]
}

const behind: Hold = { reason: 'behind', detail: 'another goes first', until: null }

export const machine = (machineId: string, part: Partial<FleetMachine> = {}): FleetMachine => ({
  ...{
    machineId,
    name: machineId,
    environmentId,
    roles: ['web'],
    registered: true,
    hasAgent: true,
    enabled: true,
    quarantined: false,
    dirtyWith: null,
  },
  ...{ status: 'healthy', statusSince: 0, ...part },
})

export function worldOf({ run: { tasks }, fleet, busy, first, newer, nowMs, chatty, child, holds = [] }: Place): World {
  const all = Object.values(fleet)
  const isWorker = (one: FleetMachine) => one.roles.includes(workerRole) && one.enabled && isContactable(one)
  return {
    position: 1,
    servings: new Servings(),
    listeningSince: 0,
    machine: (machineId) => fleet[machineId],
    inEnvironment: (wanted) => all.filter((one) => one.environmentId === wanted),
    workersFor: () => all.filter(isWorker),
    isFree: (machineId) => !busy.includes(machineId),
    mayStart: () => first,
    holdOf: () => (first ? null : (holds[0] ?? behind)),
    supersededBy: () => newer,
    versionOf: (_, __, wanted) => wanted,
    child: () => (child === undefined ? undefined : { state: child, reason: null }),
    group: () => null,
    leaseExpired: (taskId) => !chatty && nowMs > (tasks.get(taskId)?.dispatchedAt ?? nowMs) + leaseMs,
  }
}

/** What is decided at a place; a refusal is answered by its code. */
export function decideAt(place: Place, request: RunRequest, state = place.run): readonly DeploymentEvent[] | string {
  const decision = run.decide({ ...request, world: worldOf(place), nowMs: place.nowMs }, state)
  return isRefusal(decision) ? decision.refused : decision
}

export const after = (state: Run, facts: readonly DeploymentEvent[]): Run => facts.reduce(run.evolve, state)

/** A place after a decision: the run has gone on, and so has what everybody knows of its machines. */
export function following(place: Place, facts: readonly DeploymentEvent[]): Place {
  const fleet = { ...place.fleet }
  for (const { type, data } of facts) {
    if (type !== 'TargetMarkedDirty' && type !== 'TargetCleaned') continue
    const dirtyWith = type === 'TargetMarkedDirty' ? data.taskId : null
    const known = fleet[data.machineId]!
    if (type === 'TargetMarkedDirty' || known.dirtyWith === data.taskId) fleet[data.machineId] = { ...known, dirtyWith }
  }
  return { ...place, fleet, run: after(place.run, facts) }
}

/** A place before the run was created, and the request that creates it. */
export function beginning(
  machines: readonly FleetMachine[],
  steps: readonly object[],
  part: Partial<Created> = {},
  first = true,
) {
  const process = Process.parse({ steps })
  const data: Omit<Created, 'createdAt'> = {
    ...{ deploymentId, projectId: 'shop', version: '1.0', environmentId, kind: 'release', machineIds: null, process },
    ...{ variables: [], targetRoles: targetRolesOf(process), elastic: true, contactBudgetMs: 60_000 },
    ...{ taskLeaseMs: leaseMs, ...part },
  }
  const fleet = Object.fromEntries(machines.map((one) => [one.machineId, one]))
  const place: Place = { run: noRun, fleet, busy: [], first, newer: null, nowMs: startMs, chatty: false }
  return { place, create: { type: 'Create', data } as const }
}
