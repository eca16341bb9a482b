import type { DeploymentEvent } from '#contracts/deployment.ts'
import type { Recorded } from '#contracts/message.ts'
import { categoryOf } from '#contracts/subjects.ts'
import { Fleet, type FleetEvent } from '#services/deployment/fleet.ts'
import { run } from '#services/deployment/run/decider.ts'
import { noRun } from '#services/deployment/run/noRun.ts'
import { mayReturn, type Run } from '#services/deployment/run/state.ts'
import { Servings } from '#services/deployment/run/swap/servings.ts'
import type { World } from '#services/deployment/run/world.ts'
import { lawsBroken } from './run/walk/factLaws.ts'

/** Holds a log against the laws of each fact and of all deployments together, knowing nothing but the log itself. */
export class LogJudge {
  readonly breaches: string[] = []
  position = 0
  readonly #fleet = new Fleet()
  readonly #servings = new Servings()
  readonly #runs = new Map<string, Run>()
  /** By machine and by line: who has it. */
  readonly #holders = new Map<string, string>()
  readonly #lanes = new Map<string, string>()

  /** The deployments that have not ended. */
  get open(): readonly string[] {
    return [...this.#runs].flatMap(([id, { status }]) => (status === 'ended' ? [] : [id]))
  }

  see(event: Recorded, nowMs: number): void {
    this.position = event.meta.position
    const category = categoryOf(event.meta.stream)
    if (['machine', 'health', 'environment'].includes(category)) this.#fleet.apply(event as Recorded<FleetEvent>)
    if (category === 'deployment') this.#judge(event as Recorded<DeploymentEvent>, nowMs)
  }

  #judge(fact: Recorded<DeploymentEvent>, nowMs: number): void {
    const { deploymentId } = fact.data
    const before = this.#runs.get(deploymentId) ?? noRun
    // Of a while in which much happened only this tells when it was.
    const atMs = fact.type === 'TaskDispatched' ? fact.data.dispatchedAt : nowMs
    for (const law of lawsBroken(before, fact, this.#worldOf(before), atMs)) this.#say(law, fact)
    if (fact.type === 'TargetsReevaluated')
      for (const { machineId } of fact.data.added)
        if (!mayReturn(before.targets.get(machineId))) this.#say('who was left out for good stays out', fact)
    this.#hold(fact, before)
    this.#fleet.follow(fact)
    this.#servings.follow(fact)
    this.#runs.set(deploymentId, run.evolve(before, fact))
  }

  #hold(fact: Recorded<DeploymentEvent>, before: Run): void {
    const { type, data } = fact
    const { created } = before
    const lane = laneOf(before)
    if (type === 'TaskDispatched') {
      if (this.#holders.has(data.machineId)) this.#say('one task at a time on a machine', fact)
      this.#holders.set(data.machineId, data.taskId)
    } else if (type === 'TaskSucceeded' || type === 'TaskFailed' || type === 'TaskLost') {
      if (this.#holders.get(data.machineId) === data.taskId) this.#holders.delete(data.machineId)
    } else if (type === 'DeploymentStarted' && created?.kind === 'release') {
      if (this.#lanes.has(lane)) this.#say('one release at a time', fact)
      this.#lanes.set(lane, data.deploymentId)
    } else if (/^Deployment(Succeeded|Failed|Cancelled)$/.test(type)) {
      if (this.#lanes.get(lane) === data.deploymentId) this.#lanes.delete(lane)
    }
  }

  #say(law: string, { type, meta, data }: Recorded<DeploymentEvent>): void {
    this.breaches.push(`${law}: ${type} at ${meta.position}, ${JSON.stringify(data).slice(0, 200)}`)
  }

  #worldOf(before: Run): World {
    const { machine, inEnvironment, workersFor } = this.#fleet
    return {
      ...{ position: this.position, listeningSince: 0, machine, inEnvironment, workersFor, servings: this.#servings },
      isFree: (machineId) => !this.#holders.has(machineId),
      mayStart: () => before.status === 'queued' && !this.#lanes.has(laneOf(before)),
      holdOf: () => null,
      supersededBy: () => null,
      versionOf: () => null,
      child: () => undefined,
      group: () => null,
      leaseExpired: () => false,
    }
  }
}

const laneOf = ({ created }: Run): string => `${created?.projectId} ${created?.environmentId}`
