import type { DeploymentEvent, DeploymentKind } from '#contracts/deployment.ts'
import type { MachineEvent } from '#contracts/machine.ts'
import type { Recorded } from '#contracts/message.ts'
import type { PolicyEvent } from '#contracts/policy.ts'
import { categoryOf } from '#contracts/subjects.ts'
import { Recent } from './recent.ts'

const observes = [
  ...(['MachineRegistered', 'MachineChanged', 'MachineRestored', 'MachineDeregistered'] as const),
  ...(['RemovalRequested', 'RemovalWithheld', 'RemovalsResumed', 'MassFailureCleared'] as const),
  ...(['DeploymentCreated', 'DecisionRequested', 'DecisionMade', 'TargetExcluded'] as const),
  ...(['StepSucceeded', 'StepFailed', 'DeploymentSucceeded', 'DeploymentFailed', 'DeploymentCancelled'] as const),
]
type Observed = Extract<DeploymentEvent | MachineEvent | PolicyEvent, { type: (typeof observes)[number] }>
const isObserved = (event: Recorded): event is Recorded<Observed> =>
  (observes as readonly string[]).includes(event.type)

/** Where something happened: events of deployments and machines do not all say it themselves. */
export interface Place {
  readonly environmentId: string | null
  readonly projectId: string | null
}

interface KnownDeployment {
  readonly environmentId: string
  readonly projectId: string
  readonly version: string
  readonly kind: DeploymentKind
  /** By step: the machines about which a person is being asked. */
  readonly questions: Map<string, Set<string>>
}

/** Little is said of a deployment after its end, of a machine after its removal, and of a decision once it is old. */
const endedMax = 1_000
const machinesMax = 100_000
const decisionsMax = 10_000

/** What notifications need to know beside the event, folded from the log in its order. Reading it again gives the same. */
export class Known {
  readonly #running = new Map<string, KnownDeployment>()
  readonly #ended = new Recent<KnownDeployment>(endedMax)
  readonly #environments = new Recent<string>(machinesMax)
  readonly #decided = new Recent<number>(decisionsMax)
  readonly #removalsTold = new Recent<true>(decisionsMax)
  /** Incidents, and environments of the time before there were incidents, whose held removals have been told of. */
  readonly #withheldTold = new Recent<true>(decisionsMax)

  deployment(deploymentId: string): KnownDeployment | undefined {
    return this.#running.get(deploymentId) ?? this.#ended.get(deploymentId)
  }

  /** How many machines a decision of the policy is about, as far as it has been said. */
  decided(decisionId: string): number {
    return this.#decided.get(decisionId) ?? 0
  }

  isFirstWithheld(data: WithheldData): boolean {
    return !this.#withheldTold.has(withheldBy(data))
  }

  /** Whether none was removed before by the same decision, or by the same deployment. */
  isFirstRemoval(cause: Cause): boolean {
    const why = removedBy(cause)
    return why === null || !this.#removalsTold.has(why)
  }

  /** Whether nobody is being asked about this step already. */
  isFirstQuestion(deploymentId: string, stepId: string): boolean {
    return (this.deployment(deploymentId)?.questions.get(stepId)?.size ?? 0) === 0
  }

  placeOf({ type, data, meta }: Recorded): Place {
    const said = (data ?? {}) as Readonly<Record<string, unknown>>
    const text = (name: string) => (typeof said[name] === 'string' ? said[name] : null)
    // An event of policy or of a machine is none of a deployment's, though it may name one that led to it.
    const isOfRun = categoryOf(meta.stream) === 'deployment' || type === 'TaskLogged'
    const run = isOfRun ? this.deployment(text('deploymentId') ?? '') : undefined
    const machineIn = this.#environments.get(text('machineId') ?? '')
    return {
      environmentId: run?.environmentId ?? text('environmentId') ?? machineIn ?? null,
      projectId: run?.projectId ?? text('projectId'),
    }
  }

  /** To be called once the event was told of: what it changes holds for those behind it. */
  fold(event: Recorded): void {
    if (!isObserved(event)) return
    const { type, data } = event
    switch (type) {
      case 'MachineRegistered':
      case 'MachineChanged':
      case 'MachineRestored':
        return this.#environments.set(data.machineId, data.environmentId)
      case 'MachineDeregistered':
        return this.#removalsTold.set(removedBy(data.cause) ?? '', true)
      case 'RemovalRequested':
        return this.#decided.set(data.decisionId, this.decided(data.decisionId) + 1)
      case 'RemovalWithheld':
        return this.#withheldTold.set(withheldBy(data), true)
      case 'RemovalsResumed':
        return this.#withheldTold.delete(data.environmentId)
      case 'MassFailureCleared':
        return this.#withheldTold.delete(data.incidentId)
      case 'DeploymentCreated': {
        const { deploymentId, environmentId, projectId, version, kind } = data
        this.#running.set(deploymentId, { environmentId, projectId, version, kind, questions: new Map() })
        return
      }
      case 'DecisionRequested':
        return this.#ask(data.deploymentId, data.stepId, data.machineId)
      case 'DecisionMade':
      case 'TargetExcluded':
        return void this.deployment(data.deploymentId)?.questions.get(data.stepId)?.delete(data.machineId)
      case 'StepSucceeded':
      case 'StepFailed':
        return void this.deployment(data.deploymentId)?.questions.delete(data.stepId)
      case 'DeploymentSucceeded':
      case 'DeploymentFailed':
      case 'DeploymentCancelled':
        return this.#end(data.deploymentId)
    }
  }

  #ask(deploymentId: string, stepId: string, machineId: string): void {
    const questions = this.deployment(deploymentId)?.questions
    questions?.set(stepId, (questions.get(stepId) ?? new Set()).add(machineId))
  }

  #end(deploymentId: string): void {
    const run = this.#running.get(deploymentId)
    if (run === undefined) return
    this.#running.delete(deploymentId)
    this.#ended.set(deploymentId, run)
  }
}

type Cause = Extract<MachineEvent, { type: 'MachineDeregistered' }>['data']['cause']
type WithheldData = Extract<PolicyEvent, { type: 'RemovalWithheld' }>['data']

/** One word that may have led to the removal of many machines: a decision of the policy, or a deployment. */
const removedBy = ({ decisionId, deploymentId }: Cause): string | null => decisionId ?? deploymentId
const withheldBy = ({ incidentId, environmentId }: WithheldData): string => incidentId ?? environmentId
