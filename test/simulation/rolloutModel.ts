import { ineligibility, workerRole } from '#contracts/eligibility.ts'
import type { FailureChoice } from '#contracts/decision.ts'
import type { DeploymentKind, TargetOutcome } from '#contracts/deployment.ts'
import type { Fleet, ModelMachine } from './fleetModel.ts'
import { reactTo, type AnyEvent, type EventOf, type Reactions } from './events.ts'

export interface ModelDeployment {
  readonly deploymentId: string
  readonly projectId: string
  readonly version: string
  readonly environmentId: string
  readonly kind: DeploymentKind
  readonly named: boolean
  readonly position: number
  /** Every machine that was ever a target. */
  readonly included: Set<string>
  state: 'queued' | 'running' | 'waiting' | 'ended'
  outcomes: readonly { readonly machineId: string; readonly outcome: TargetOutcome }[]
  succeeded: boolean
}

/** What a person is asked about a target that has failed. */
export interface ModelQuestion {
  readonly deploymentId: string
  readonly stepId: string
  readonly machineId: string
  readonly options: readonly FailureChoice[]
}

type Ended = EventOf<'DeploymentSucceeded' | 'DeploymentFailed' | 'DeploymentCancelled'>

const circuit = ({ environmentId, projectId, version }: EventOf<'ReleaseCircuitClosed'>['data']) =>
  `${environmentId} ${projectId}@${version}`
const questionKey = ({ deploymentId, stepId, machineId }: Omit<ModelQuestion, 'options'>) =>
  `${deploymentId} ${stepId} ${machineId}`
const lane = (projectId: string, environmentId: string) => `${projectId} ${environmentId}`

/** Projects, releases and deployments, as the log tells of them: what runs where, and what should. */
export class Rollouts {
  readonly #fleet: Fleet
  readonly projects = new Set<string>()
  /** By `project@version`: the roles that the release is for. */
  readonly releases = new Map<string, readonly string[]>()
  readonly deployments = new Map<string, ModelDeployment>()
  /** By machine and project: the version on it, and the position at which its deployment was made. */
  readonly installed = new Map<string, { readonly version: string; readonly position: number }>()
  readonly circuits = new Set<string>()
  readonly questions = new Map<string, ModelQuestion>()
  readonly #succeeded = new Map<string, { version: string; position: number }>()
  readonly #overrides = new Map<string, { version: string; position: number }>()

  readonly #include = (deploymentId: string, machines: readonly { readonly machineId: string }[]) => {
    for (const { machineId } of machines) this.deployments.get(deploymentId)!.included.add(machineId)
  }
  readonly #setState = (state: ModelDeployment['state']) => (event: { readonly data: { deploymentId: string } }) =>
    void (this.deployments.get(event.data.deploymentId)!.state = state)
  readonly #endOne = (event: Ended) => this.#end(event)

  readonly #reactions: Reactions<void> = {
    ProjectCreated: ({ data }) => void this.projects.add(data.projectId),
    ReleaseCreated: ({ data }) => void this.releases.set(`${data.projectId}@${data.version}`, data.targetRoles),
    ReleaseOverrideSet: ({ data: { projectId, environmentId, version }, meta: { position } }) => {
      const where = lane(projectId, environmentId)
      if (version === null) this.#overrides.delete(where)
      else this.#overrides.set(where, { version, position })
    },
    ReleaseCircuitOpened: ({ data }) => void this.circuits.add(circuit(data)),
    ReleaseCircuitClosed: ({ data }) => void this.circuits.delete(circuit(data)),
    DeploymentCreated: ({ data, meta: { position } }) => {
      const { deploymentId, projectId, version, environmentId, kind, machineIds } = data
      const about = { deploymentId, projectId, version, environmentId, kind, named: machineIds !== null, position }
      const fresh = { included: new Set<string>(), outcomes: [], succeeded: false, state: 'queued' } as const
      this.deployments.set(deploymentId, { ...about, ...fresh })
    },
    DeploymentStarted: this.#setState('running'),
    ApprovalRequested: this.#setState('waiting'),
    ApprovalGiven: this.#setState('running'),
    ApprovalRefused: this.#setState('running'),
    DecisionRequested: ({ data }) => void this.questions.set(questionKey(data), data),
    DecisionMade: ({ data }) => void this.questions.delete(questionKey(data)),
    TargetsEvaluated: ({ data }) => this.#include(data.deploymentId, data.included),
    TargetsReevaluated: ({ data }) => this.#include(data.deploymentId, data.added),
    DeploymentSucceeded: this.#endOne,
    DeploymentFailed: this.#endOne,
    DeploymentCancelled: this.#endOne,
  }

  constructor(fleet: Fleet) {
    this.#fleet = fleet
  }

  installedOn(machineId: string, projectId: string) {
    return this.installed.get(`${machineId} ${projectId}`)
  }

  /** The release that machines of an environment should have; an override goes before the last success. */
  desired(projectId: string, environmentId: string) {
    const where = lane(projectId, environmentId)
    return this.#overrides.get(where) ?? this.#succeeded.get(where)
  }

  versionsOf(projectId: string): readonly string[] {
    const own = [...this.releases.keys()].filter((release) => release.startsWith(`${projectId}@`))
    return own.map((release) => release.slice(projectId.length + 1))
  }

  isEligible(machine: ModelMachine, projectId: string, version: string): boolean {
    const roles = this.releases.get(`${projectId}@${version}`) ?? []
    return (
      ineligibility({ ...machine, quarantined: false, hasAgent: true }, machine.environmentId, roles) === null &&
      !machine.roles.includes(workerRole)
    )
  }

  apply(event: AnyEvent): void {
    reactTo(this.#reactions, event)
  }

  #end({ type, data }: Ended): void {
    const deployment = this.deployments.get(data.deploymentId)!
    Object.assign(deployment, { state: 'ended', outcomes: data.outcomes, succeeded: type === 'DeploymentSucceeded' })
    const { projectId, version, environmentId, position, kind, named } = deployment
    for (const [key, { deploymentId }] of this.questions)
      if (deploymentId === data.deploymentId) this.questions.delete(key)
    for (const { machineId, outcome } of data.outcomes)
      if (outcome === 'succeeded') this.installed.set(`${machineId} ${projectId}`, { version, position })
    if (kind === 'automatic' || !deployment.succeeded) return
    // A deployment to named machines speaks for the environment only when by then everyone has the release.
    const eligible = this.#fleet
      .registeredIn(environmentId)
      .filter((machine) => this.isEligible(machine, projectId, version))
    const everyone = eligible.every((one) => this.installedOn(one.machineId, projectId)?.version === version)
    if (!named || (eligible.length > 0 && everyone))
      this.#succeeded.set(lane(projectId, environmentId), { version, position })
  }
}
