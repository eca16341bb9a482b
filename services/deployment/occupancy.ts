import type { DeploymentEvent } from '#contracts/deployment.ts'
import { priorityDefault } from '#contracts/deploymentOptions.ts'
import { openGate, type Gate } from './gate.ts'
import { Lane, type Place } from './lane.ts'
import { Machines } from './machines.ts'
import type { Hold } from './run/world.ts'

type Created = Extract<DeploymentEvent, { type: 'DeploymentCreated' }>['data']
export type Entrant = Pick<
  Created,
  'deploymentId' | 'projectId' | 'environmentId' | 'kind' | 'version' | 'priority' | 'startDueAt' | 'ignoreFreeze'
>
type Ended = Extract<DeploymentEvent, { type: 'DeploymentSucceeded' | 'DeploymentFailed' | 'DeploymentCancelled' }>

interface Active {
  readonly lane: Lane
  readonly place: Place
  /** What holds it back before its turn counts. */
  readonly gate: () => Hold | null
  /** Whether it brings its version to every machine of the environment. */
  readonly isWhole: boolean
  readonly tasks: Set<string>
}

/**
 * Who holds what: one task at a time on a machine, one release at a time in a project and environment. What a decision
 * takes is taken before it is stored, so that two decisions in one turn cannot take the same; what it frees is free
 * when the fact has been stored and followed. A decision that could not be stored gives back what it took.
 */
export class Occupancy {
  readonly #lanes = new Map<string, Lane>()
  readonly #active = new Map<string, Active>()
  readonly #machines = new Machines()
  readonly #gate: Gate
  #entered = 0

  constructor(gate = openGate) {
    this.#gate = gate
  }

  isFree = (machineId: string, deploymentId: string): boolean => this.#machines.isFree(machineId, deploymentId)

  mayStart = (deploymentId: string): boolean => this.#active.has(deploymentId) && this.holdOf(deploymentId) === null

  /** Why it may not start; null when it may, or is not there. */
  holdOf = (deploymentId: string): Hold | null => {
    const active = this.#active.get(deploymentId)
    if (active === undefined) return null
    return active.gate() ?? (active.lane.ahead(active.place) === null ? null : holdBehind(active.place))
  }

  supersededBy = (deploymentId: string): string | null => this.#active.get(deploymentId)?.place.supersededBy ?? null

  activeIds = (): readonly string[] => [...this.#active.keys()]

  isActive = (deploymentId: string): boolean => this.#active.has(deploymentId)

  /** How many deployments of the project to the environment have not started. */
  queued = (projectId: string, environmentId: string): number =>
    this.#lanes.get(laneKey(projectId, environmentId))?.waiting ?? 0

  /** Gives a deployment its place in the line, unless it has one. */
  enter(entrant: Entrant, isWhole: boolean): void {
    const { deploymentId, projectId, environmentId } = entrant
    if (this.#active.has(deploymentId)) return
    const lane = this.#laneOf(laneKey(projectId, environmentId))
    const gate = () => this.#gate(entrant)
    const place = placeOf(entrant, (this.#entered += 1), () => gate() === null)
    lane.enter(place)
    this.#active.set(deploymentId, { lane, place, gate, isWhole, tasks: new Set() })
  }

  /** Takes what a decision is about to take, before it is stored. */
  claim(facts: readonly DeploymentEvent[]): void {
    for (const fact of facts) {
      if (fact.type === 'DeploymentStarted') this.#start(fact.data.deploymentId)
      if (fact.type === 'TaskDispatched') this.#take(fact.data)
    }
  }

  /**
   * Gives back what a decision took that may not have been stored. If it was stored after all, its facts take it again
   * when they are followed.
   */
  giveBack(deploymentId: string, facts: readonly DeploymentEvent[]): readonly string[] {
    const active = this.#active.get(deploymentId)
    if (active === undefined) return []
    if (facts.some(({ type }) => type === 'DeploymentCreated')) return this.leave(deploymentId)
    const freed = facts.flatMap((fact) => (fact.type === 'TaskDispatched' ? this.#free(fact.data) : []))
    if (facts.some(({ type }) => type === 'DeploymentStarted')) active.lane.setStarted(active.place, false)
    return freed
  }

  /** Frees all that a deployment holds, and says which others may go on because of it. */
  leave(deploymentId: string): readonly string[] {
    const active = this.#active.get(deploymentId)
    if (active === undefined) return []
    this.#active.delete(deploymentId)
    active.lane.leave(active.place)
    const freed = [...active.tasks].flatMap((taskId) => this.#machines.release(taskId))
    return [...active.lane.next(), ...freed]
  }

  /** Takes in a stored fact, each once and in order, and says which deployments may go on because of it. */
  follow(event: DeploymentEvent): readonly string[] {
    if (isAboutStep(event)) return []
    switch (event.type) {
      case 'DeploymentCreated':
        this.enter(event.data, event.data.machineIds === null)
        return []
      case 'DeploymentStarted':
        this.#start(event.data.deploymentId)
        return []
      case 'TaskDispatched':
        this.#take(event.data)
        return []
      case 'TaskSucceeded':
      case 'TaskFailed':
      case 'TaskLost':
        return this.#free(event.data)
      case 'DeploymentSucceeded':
      case 'DeploymentFailed':
      case 'DeploymentCancelled':
        return this.#ended(event)
      case 'DeploymentHeld':
      case 'DeploymentResumed':
      case 'TaskStarted':
      case 'TaskCancelRequested':
      case 'CanaryPassed':
      case 'MachineDeregistrationRequested':
      case 'DeploymentCancelRequested':
        return []
    }
  }

  #laneOf(key: string): Lane {
    const known = this.#lanes.get(key)
    if (known !== undefined) return known
    const lane = new Lane()
    this.#lanes.set(key, lane)
    return lane
  }

  #start(deploymentId: string): void {
    const active = this.#active.get(deploymentId)
    active?.lane.setStarted(active.place, true)
  }

  #take({ deploymentId, taskId, machineId }: { deploymentId: string; taskId: string; machineId: string }): void {
    const active = this.#active.get(deploymentId)
    if (active === undefined) return
    active.tasks.add(taskId)
    this.#machines.hold(machineId, { deploymentId, taskId })
  }

  #free({ deploymentId, taskId }: { deploymentId: string; taskId: string }): readonly string[] {
    this.#active.get(deploymentId)?.tasks.delete(taskId)
    return this.#machines.release(taskId)
  }

  #ended({ type, data: { deploymentId } }: Ended): readonly string[] {
    const active = this.#active.get(deploymentId)
    if (active === undefined) return []
    const { lane, place, isWhole } = active
    if (type === 'DeploymentSucceeded' && place.kind === 'release' && isWhole) lane.supersede(place.version)
    return this.leave(deploymentId)
  }
}

/** What happens within a step or to its targets, beside its tasks, takes nothing and frees nothing. */
const isAboutStep = (event: DeploymentEvent): event is Extract<DeploymentEvent, { type: StepType }> =>
  /^(Step|Approval|Decision|Child|Target|Effect|Serving|Machines|Outputs)/.test(event.type)
type StepWord = 'Step' | 'Approval' | 'Decision' | 'Child' | 'Target' | 'Effect' | 'Serving' | 'Machines' | 'Outputs'
type StepType = `${StepWord}${string}`

const placeOf = (entrant: Entrant, number: number, isDue: () => boolean): Place => ({
  ...{ deploymentId: entrant.deploymentId, kind: entrant.kind, version: entrant.version },
  ...{ priority: entrant.priority ?? priorityDefault, number, isDue },
  supersededBy: null,
})

/** Told once, so it does not name whom it waits for: that may be another one by the time somebody reads it. */
const holdBehind = ({ kind }: Place): Hold =>
  kind === 'release'
    ? { reason: 'behind', detail: 'its project is deployed to its environment once at a time', until: null }
    : { reason: 'newcomers', detail: 'machines that have come wait for the release before them', until: null }

const laneKey = (projectId: string, environmentId: string) => `${projectId} ${environmentId}`
