import { wholePolicy } from '#contracts/policySettings.ts'
import { ineligibility } from '#contracts/eligibility.ts'
import { AskedDeployments } from './asked.ts'
import { Behind } from './behind.ts'
import type { Ending } from './endings.ts'
import { Gaps } from '#libs/gaps.ts'
import { Members } from './members.ts'
import type { News, NewsOf } from './news.ts'
import { Releases, type Running } from './releases.ts'
import type { World } from './world.ts'

type EnvironmentIds = readonly string[]
type VerdictNews =
  | ('AutomaticDeploymentRequested' | 'AutomaticDeploymentSettled' | 'AutomaticDeploymentAbandoned')
  | ('ReleaseCircuitClosed' | 'RemovalsResumed' | 'ProviderAnswered' | 'ProviderFellSilent')
type RolloutNews =
  | ('ProjectCreated' | 'ReleaseCreated' | 'ReleaseOverrideSet' | 'TargetExcluded')
  | ('DeploymentCreated' | Ending['type'])
const nobody: EnvironmentIds = []

/** What policy knows of everyone else, from their events; another service is never asked for it. */
export class Known {
  readonly #members = new Members()
  readonly #releases = new Releases()
  readonly asked = new AskedDeployments()
  readonly #behind = new Behind(this.#members, this.#releases, this.asked)
  readonly #gaps = new Gaps()
  readonly #policies = new Map<string, ReturnType<World['policyOf']> & object>()

  readonly world: World = {
    policyOf: (environmentId) => this.#policies.get(environmentId),
    registered: (environmentId) => this.#members.registered(environmentId).size,
    unavailable: (environmentId) => this.#members.unavailable(environmentId).values(),
    behind: (environmentId) => this.#behind.in(environmentId),
    desired: (environmentId) => this.#releases.desired(environmentId),
    ended: (environmentId) => this.asked.ended(environmentId),
    missing: (environmentId, nowMs) => this.asked.missing(environmentId, nowMs),
    observedMs: (sinceMs, nowMs) => this.#gaps.observedMs(sinceMs, nowMs),
    observingSince: () => this.#gaps.observingSince,
    neededSince: (...need) => this.#behind.since(...need),
  }

  environmentIds(): EnvironmentIds {
    return [...this.#policies.keys()]
  }

  /** Whether nothing could be due in the environment by time alone. */
  isCalm(environmentId: string): boolean {
    const { size } = this.#members.unavailable(environmentId)
    return size === 0 && this.#behind.isNobody(environmentId) && this.asked.isCalm(environmentId)
  }

  /** Takes in what has happened, and says which environments are to be looked at because of it. */
  apply(event: News): EnvironmentIds {
    switch (event.type) {
      case 'EnvironmentCreated':
      case 'EnvironmentPolicyChanged': {
        const { environmentId, policy, policyVersion } = event.data
        this.#policies.set(environmentId, { policy: wholePolicy(policy), policyVersion })
        return [environmentId]
      }
      case 'ObservationGapStarted':
      case 'ObservationGapEnded':
        this.#gaps.apply(event)
        return nobody
      case 'MachineRegistered':
      case 'MachineChanged':
      case 'MachineRestored':
      case 'MachineDeregistered':
      case 'MachineEnabled':
      case 'MachineDisabled':
      case 'MachineQuarantined':
      case 'MachineReleased':
      case 'MachineBecameHealthy':
      case 'MachineBecameDegraded':
      case 'MachineBecameUnhealthy':
      case 'MachineBecameUnavailable':
      case 'HealthForgotten':
        return this.#onMachine(event.data.machineId, () => this.#members.apply(event))
      case 'ProjectCreated':
      case 'ReleaseCreated':
      case 'ReleaseOverrideSet':
      case 'DeploymentCreated':
      case 'DeploymentSucceeded':
      case 'DeploymentFailed':
      case 'DeploymentCancelled':
      case 'TargetExcluded':
        return this.#applyToRollouts(event)
      case 'AutomaticDeploymentRequested':
      case 'AutomaticDeploymentSettled':
      case 'AutomaticDeploymentAbandoned':
      case 'ReleaseCircuitClosed':
      case 'RemovalsResumed':
      case 'ProviderAnswered':
      case 'ProviderFellSilent':
        return this.#applyToVerdicts(event)
    }
  }

  #applyToRollouts(event: NewsOf<RolloutNews>): EnvironmentIds {
    switch (event.type) {
      case 'ProjectCreated':
        this.#releases.projectCreated(event.data.projectId)
        return nobody
      case 'ReleaseCreated':
        this.#releases.releaseCreated(event.data)
        return nobody
      case 'ReleaseOverrideSet':
        this.#releases.pinned(event)
        return this.#chosen(event.data.environmentId)
      case 'DeploymentCreated':
        this.#releases.deploymentCreated(event)
        this.asked.deploymentCreated(event.data.deploymentId)
        return nobody
      case 'TargetExcluded': {
        const { cause, machineId, deploymentId } = event.data
        if (cause !== 'not-contactable') return nobody
        return this.#onMachine(machineId, () => this.#members.notContactable(machineId, deploymentId))
      }
      case 'DeploymentSucceeded':
      case 'DeploymentFailed':
      case 'DeploymentCancelled':
        return this.#ended(event)
    }
  }

  /** Our own decisions: what is under way because of them, and what a person has decided. */
  #applyToVerdicts(event: NewsOf<VerdictNews>): EnvironmentIds {
    const { environmentId } = event.data
    if (event.type === 'ReleaseCircuitClosed') return [environmentId]
    if (event.type === 'ProviderAnswered' || event.type === 'ProviderFellSilent') return [environmentId]
    if (event.type === 'RemovalsResumed') return event.data.by === 'person' ? [environmentId] : nobody
    for (const machineId of this.asked.apply(event)) this.#behind.touched(machineId)
    return event.type === 'AutomaticDeploymentRequested' ? nobody : [environmentId]
  }

  /** Another machine is there, or it has another state: its quiet period begins anew. */
  #onMachine(machineId: string, change: () => void): EnvironmentIds {
    const before = this.#members.get(machineId)?.environmentId
    change()
    this.#behind.changed(machineId, before)
    const now = this.#members.get(machineId)?.environmentId
    return [...new Set([before, now])].filter((id) => id !== undefined)
  }

  #chosen(environmentId: string): EnvironmentIds {
    this.#behind.desiredChanged(environmentId)
    return [environmentId]
  }

  #ended(event: Ending): EnvironmentIds {
    const ended = this.#releases.deploymentEnded(event.data)
    if (ended === undefined) return nobody
    this.asked.deploymentEnded(event)
    const { projectId, version, environmentId, kind, partial, position } = ended
    for (const { machineId, outcome } of event.data.outcomes)
      if (outcome === 'succeeded') {
        this.#members.install(machineId, projectId, { version, position })
        this.#behind.touched(machineId)
      }
    if (kind === 'automatic' || event.type !== 'DeploymentSucceeded') return [environmentId]
    // A deployment to named machines says what those should have; it says it of all once all have it.
    if (!partial || this.#everyoneHas(ended)) this.#releases.hasSucceeded(ended)
    return this.#chosen(environmentId)
  }

  #everyoneHas({ projectId, version, environmentId }: Running): boolean {
    const roles = this.#releases.targetRolesOf(projectId, version)
    const eligible = [...this.#members.registered(environmentId).values()].filter(
      (one) => ineligibility(one, environmentId, roles) === null,
    )
    return eligible.length > 0 && eligible.every(({ installed }) => installed.get(projectId)?.version === version)
  }
}
