import { reactTo, type AnyEvent, type EventOf, type Reactions } from '../events.ts'
import type { Breach, Scene } from './rule.ts'

/** R5 and what goes with it: attempts run at most once, one at a time on a machine, and success is never invented. */
export class TaskRules {
  readonly #scene: Scene
  /** By machine: the attempt that it has been given and that has not ended. */
  readonly #holders = new Map<string, string>()
  /** By project and environment: the release that is being deployed. */
  readonly #lanes = new Map<string, string>()

  constructor(scene: Scene) {
    this.#scene = scene
  }

  readonly #endLane = ({ data }: EventOf<'DeploymentSucceeded' | 'DeploymentFailed' | 'DeploymentCancelled'>) => {
    for (const [lane, holder] of this.#lanes) if (holder === data.deploymentId) this.#lanes.delete(lane)
    return null
  }

  readonly #reactions: Reactions<Breach | null> = {
    TaskDispatched: ({ data }) => this.#take(data.machineId, data.taskId),
    TaskSucceeded: ({ data }) => this.#free(data) ?? this.#checkSuccess(data.taskId),
    TaskFailed: ({ data }) => this.#free(data),
    TaskLost: ({ data }) => this.#free(data) ?? this.#checkLoss(data.taskId),
    DeploymentStarted: ({ data }) => this.#checkLane(data.deploymentId),
    DeploymentSucceeded: this.#endLane,
    DeploymentFailed: this.#endLane,
    DeploymentCancelled: this.#endLane,
  }

  check(event: AnyEvent): Breach | null {
    const [repeated] = this.#scene.truth.repeated
    if (repeated !== undefined) return { rule: 'R5', ids: [repeated], detail: 'an attempt ran more than once' }
    return reactTo(this.#reactions, event) ?? null
  }

  #take(machineId: string, taskId: string): Breach | null {
    const holder = this.#holders.get(machineId)
    this.#holders.set(machineId, taskId)
    if (holder === undefined) return null
    return { rule: 'one task at a time', ids: [machineId, taskId, holder], detail: 'two tasks on one machine' }
  }

  #free({ machineId, taskId }: { readonly machineId: string; readonly taskId: string }): null {
    if (this.#holders.get(machineId) === taskId) this.#holders.delete(machineId)
    return null
  }

  #checkSuccess(taskId: string): Breach | null {
    const outcome = this.#scene.truth.executions.get(taskId)?.outcome ?? 'never ran'
    if (outcome === 'succeeded') return null
    return { rule: 'R5', ids: [taskId], detail: `recorded as succeeded, and in truth it ${outcome}` }
  }

  /** R1: what a machine was told is stored can be lost no more. */
  #checkLoss(taskId: string): Breach | null {
    if (!this.#scene.truth.acknowledged.has(taskId)) return null
    return { rule: 'R1', ids: [taskId], detail: 'lost, although its machine was told that its result is stored' }
  }

  #checkLane(deploymentId: string): Breach | null {
    const deployment = this.#scene.model.rollouts.deployments.get(deploymentId)!
    if (deployment.kind === 'automatic') return null
    const lane = `${deployment.projectId} ${deployment.environmentId}`
    const holder = this.#lanes.get(lane)
    this.#lanes.set(lane, deploymentId)
    if (holder === undefined) return null
    return { rule: 'one release at a time', ids: [deploymentId, holder], detail: `both run in ${lane}` }
  }
}
