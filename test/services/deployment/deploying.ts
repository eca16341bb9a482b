import type { TaskResult } from '#contracts/taskResult.ts'
import type { DeploymentOptions } from '#contracts/deploymentOptions.ts'
import type { Recorded } from '#contracts/message.ts'
import { allEvents } from '#contracts/subjects.ts'
import { uuidOf } from '#libs/ids.ts'
import type { EventStore } from '#libs/store/store.ts'
import { startDeployment, type DeploymentSettings } from '#services/deployment/service.ts'
import { Stage, type Settings } from './stage.ts'

/** What a machine does with a task: its result, or nothing at all. */
export type Play = (task: Task) => TaskResult | null
export interface Task {
  readonly taskId: string
  readonly deploymentId: string
  readonly machineId: string
  readonly stepId: string
  readonly attempt: number
}

export const success: TaskResult = { outcome: 'succeeded', outputs: {}, durationMs: 5, logTruncated: false }
export const failure: TaskResult = {
  ...{ outcome: 'failed', reason: 'exit-code', exitCode: 3, detail: '', durationMs: 5, logTruncated: false },
}

/** The deployment service on a stage of its own, with machines that do whatever they are told to play. */
export class DeploymentStage extends Stage {
  play: Play = () => success
  /** How long a task takes. */
  taskMs = 0
  #deployments = 0

  service!: AsyncDisposable

  /** Starts the service, or starts it again. */
  async begin(settings: DeploymentSettings = {}): Promise<void> {
    this.service = this.use(await startDeployment(this.platform, settings))
  }

  actors(): void {
    this.platform.bus.subscribe(allEvents, ({ payload }) => {
      const event = payload as Recorded
      if (event.type === 'TaskDispatched') void this.perform(event.data as Task).catch(() => {})
    })
  }

  async perform(task: Task): Promise<void> {
    const { deploymentId, taskId, machineId } = task
    const about = { deploymentId, taskId, machineId }
    const say = (type: string, data: object) => this.platform.ask('deployment', { type, data }, this.cause())
    if (this.taskMs > 0) await this.clock.sleep(this.taskMs)
    const result = this.play(task)
    if (result === null) return
    await say('RecordTaskStarted', about)
    await say('RecordTaskResult', { ...about, result })
  }

  /** A release of `shop` with these steps; what a step does not say is as short as can be. */
  async release(version: string, steps: readonly object[], projectId = 'shop'): Promise<void> {
    await this.ask('deployment', 'CreateProject', { projectId, name: projectId })
    const process = {
      steps: steps.map((step) => ('kind' in step ? step : { kind: 'script', script: 'true', ...step })),
    }
    const changed = await this.ask('deployment', 'ChangeProcess', { projectId, process, expectedVersion: null })
    if ('refused' in changed) throw new Error(changed.detail)
    const made = await this.ask('deployment', 'CreateRelease', { projectId, version, notes: '' })
    if ('refused' in made) throw new Error(made.detail)
  }

  /** Deploys to all machines, or those named; answers the deployment's id. */
  async deploy(
    version: string,
    { machines, kind = 'release', projectId = 'shop', environmentId = 'production', ...options }: Partial<Deploy> = {},
  ): Promise<string> {
    const deploymentId = uuidOf(`deployment ${(this.#deployments += 1)}`)
    const about = { deploymentId, projectId, version, environmentId, kind, machineIds: machines ?? null, ...options }
    const answer = await this.ask('deployment', 'CreateDeployment', about)
    if ('refused' in answer) throw new Error(answer.detail)
    return deploymentId
  }

  /** The outcome of each target, by machine, of a deployment that has ended. */
  async outcome(deploymentId: string) {
    const end = (await this.events(`deployment-${deploymentId}`)).find(({ type }) =>
      ['DeploymentSucceeded', 'DeploymentFailed', 'DeploymentCancelled'].includes(type),
    )
    if (end === undefined) return null
    const { outcomes } = end.data as { outcomes: readonly { machineId: string; outcome: string }[] }
    return { type: end.type, ...Object.fromEntries(outcomes.map(({ machineId, outcome }) => [machineId, outcome])) }
  }
}

interface Deploy extends DeploymentOptions {
  readonly machines: readonly string[]
  readonly kind: 'release' | 'automatic'
  readonly projectId: string
  readonly environmentId: string
}

/** A stage with one environment and the service started. */
export async function deploymentStage(
  settings: Settings = {},
  takeOver?: (store: EventStore) => EventStore,
): Promise<DeploymentStage> {
  const stage = new DeploymentStage(takeOver)
  stage.actors()
  await stage.environment('production', settings)
  await stage.begin()
  return stage
}
