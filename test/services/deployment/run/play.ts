import { expect } from 'vitest'
import type { DeploymentDecision } from '#contracts/decision.ts'
import type { TaskResult } from '#contracts/taskResult.ts'
import { DeploymentEvent } from '#contracts/deployment.ts'
import { Process } from '#contracts/process.ts'
import { isRefusal, replay } from '#libs/decider.ts'
import { checkAppend, serialise } from '#libs/store/limits.ts'
import { targetRolesOf } from '#services/deployment/project/mistakes.ts'
import { run, type RunRequest } from '#services/deployment/run/decider.ts'
import type { Created, Run } from '#services/deployment/run/state.ts'
import { startMs, type TestWorld } from './world.ts'

const anyCause = { actor: 'test', commandId: 'test', correlationId: 'test', causationId: null }

export const deploymentId = '00000000-0000-4000-8000-000000000001'

export const succeeded = (outputs: Record<string, string> = {}): TaskResult => ({
  ...{ outcome: 'succeeded', outputs, durationMs: 5, logTruncated: false },
})
type FailedReason = Extract<TaskResult, { outcome: 'failed' }>['reason']
export const failed = (reason: FailedReason = 'exit-code'): TaskResult => ({
  ...{ outcome: 'failed', reason, exitCode: reason === 'exit-code' ? 1 : null, detail: '' },
  ...{ durationMs: 5, logTruncated: false },
})

/** The steps of a process, with what is always the same left out. */
export const processOf = (...steps: readonly object[]): Process =>
  Process.parse({ steps: steps.map((step) => ({ kind: 'script', ...scriptOf(step), ...step })) })
const scriptOf = (step: object) => ('kind' in step && step.kind !== 'script' ? {} : { script: 'true' })

/** One run, told as a story: who asks what, and what came of it. What is decided is checked against its contract. */
export class RunPlay {
  readonly world: TestWorld
  readonly facts: DeploymentEvent[] = []
  nowMs = startMs
  readonly #draft: Omit<Created, 'createdAt'>

  constructor(world: TestWorld, process: Process, changes: Partial<Created> = {}) {
    this.world = world
    this.#draft = {
      ...{ deploymentId, projectId: 'shop', version: '1.0', environmentId: 'production', kind: 'release' },
      ...{ machineIds: null, process, variables: [], targetRoles: targetRolesOf(process) },
      ...{ elastic: true, contactBudgetMs: 120_000, taskLeaseMs: 120_000, ...changes },
    }
  }

  get state(): Run {
    return replay(run, this.facts)
  }

  /** Asks, keeps what follows, and answers it; a refusal is answered by its code. */
  ask(request: RunRequest): readonly DeploymentEvent[] | string {
    const decision = run.decide({ ...request, world: this.world, nowMs: this.nowMs }, this.state)
    if (isRefusal(decision)) return decision.refused
    for (const fact of decision) expect(DeploymentEvent.parse(fact)).toEqual(fact)
    checkAppend('deployment', 0, decision, anyCause)
    serialise('deployment', decision)
    this.facts.push(...decision)
    return decision
  }

  create(): this {
    this.ask({ type: 'Create', data: this.#draft })
    return this
  }

  /** @param ms how much later it is */
  advance(ms = 0): readonly DeploymentEvent[] {
    this.nowMs += ms
    return this.ask({ type: 'Advance' }) as readonly DeploymentEvent[]
  }

  start(stepId: string, machineId: string, attempt = 1) {
    return this.ask({ type: 'RecordTaskStarted', taskId: taskIdOf(stepId, machineId, attempt), machineId })
  }

  end(stepId: string, machineId: string, result: TaskResult = succeeded(), attempt = 1) {
    return this.ask({ type: 'RecordTaskResult', taskId: taskIdOf(stepId, machineId, attempt), machineId, result })
  }

  cancel(reason = 'enough') {
    return this.ask({ type: 'Cancel', reason })
  }

  /** @param about the step and machine that it is about, where more than one asks */
  decide(decision: DeploymentDecision, about: { stepId?: string; machineId?: string } = {}) {
    return this.ask({ type: 'Decide', decision, comment: '', ...about })
  }

  /** The tasks that were handed out and have not ended, as `step@machine`. */
  get atWork(): readonly string[] {
    return this.state.active.toArray().map((taskId) => {
      const { stepId, machineId } = this.state.tasks.get(taskId)!
      return `${stepId}@${machineId}`
    })
  }

  get types(): readonly string[] {
    return this.facts.map(({ type }) => type)
  }

  of<Type extends DeploymentEvent['type']>(type: Type) {
    return this.facts.filter((fact): fact is Extract<DeploymentEvent, { type: Type }> => fact.type === type)
  }

  /** How it ended: by which fact, why, and for each target. */
  get ending() {
    const end = this.facts.at(-1)!
    if (end.type !== 'DeploymentSucceeded' && end.type !== 'DeploymentFailed' && end.type !== 'DeploymentCancelled')
      return null
    const outcomes = Object.fromEntries(end.data.outcomes.map(({ machineId, outcome }) => [machineId, outcome]))
    return { type: end.type, reason: 'reason' in end.data ? end.data.reason : null, outcomes }
  }
}

export const taskIdOf = (stepId: string, machineId: string, attempt = 1) =>
  `${deploymentId}.${stepId}.${machineId}.${attempt}`

/** A run of these steps on these machines, created. */
export const play = (world: TestWorld, steps: readonly object[], changes: Partial<Created> = {}): RunPlay =>
  new RunPlay(world, processOf(...steps), changes).create()
