import { ineligibility } from '#contracts/eligibility.ts'
import { AskedDeployments } from './asked.ts'
import { Behind } from './behind.ts'
import type { Ending } from './endings.ts'
import { Gaps } from '#libs/gaps.ts'
import { Members } from './members.ts'
import { isRolloutNews, isVerdictNews, type News, type RolloutNews, type VerdictNews } from './news.ts'
import { Policies } from './policies.ts'
import { Provided } from './provided.ts'
import { Releases, type Running } from './releases.ts'
import type { Member, World } from './world.ts'

export interface Present {
  readonly members: readonly Member[]
  readonly gaps: Gaps
  /** Deployments of releases that have not ended; `partial` ones are for named machines, which nobody here knows. */
  readonly running: ReturnType<Releases['runningIn']>
}

type EnvironmentIds = readonly string[]
const nobody: EnvironmentIds = []

/** What policy knows of everyone else, from their events; another service is never asked for it. */
export class Known {
  readonly #members = new Members()
  readonly #provided = new Provided(this.#members)
  readonly #releases = new Releases()
  readonly asked = new AskedDeployments()
  readonly #behind = new Behind(this.#members, this.#releases, this.asked)
  readonly #gaps = new Gaps()
  readonly #policies = new Policies(this.#members, this.#provided)

  readonly world: World = {
    policyOf: (environmentId) => this.#policies.of(environmentId),
    member: (machineId) => this.#members.get(machineId),
    registered: (environmentId) => this.#members.in.registered(environmentId).size,
    registeredIn: (environmentId, value) => this.#members.in.registeredIn(environmentId, value),
    returnedSince: (...asked) => this.#members.in.returnedSince(...asked),
    unavailable: (environmentId) => this.#members.in.unavailable(environmentId).values(),
    suspects: (environmentId) => this.#members.in.suspects(environmentId).values(),
    behind: (environmentId) => this.#behind.in(environmentId),
    desired: (environmentId) => this.#releases.desired(environmentId),
    ended: (environmentId) => this.asked.ended(environmentId),
    missing: (environmentId, nowMs) => this.asked.missing(environmentId, nowMs),
    observedMs: (sinceMs, nowMs) => this.#gaps.observedMs(sinceMs, nowMs),
    observingSince: () => this.#gaps.observingSince,
    neededSince: (...need) => this.#behind.since(...need),
  }

  environmentIds(): EnvironmentIds {
    return this.#policies.environmentIds()
  }

  /** All that has to be known of an environment to think on from here without touching what is. */
  present(environmentId: string): Present {
    return {
      members: [...this.#members.in.registered(environmentId).values()],
      gaps: this.#gaps.copy(),
      running: this.#releases.runningIn(environmentId),
    }
  }

  /** Whether nothing could be due in the environment by time alone. */
  isCalm(environmentId: string): boolean {
    const { size } = this.#members.in.suspects(environmentId)
    return size === 0 && this.#behind.isNobody(environmentId) && this.asked.isCalm(environmentId)
  }

  /** Takes in what has happened, and says which environments are to be looked at because of it. */
  apply(event: News): EnvironmentIds {
    if (isRolloutNews(event)) return this.#applyToRollouts(event)
    if (isVerdictNews(event)) return this.#applyToVerdicts(event)
    switch (event.type) {
      case 'EnvironmentCreated':
      case 'EnvironmentPolicyChanged':
        this.#policies.settle(event.data)
        return [event.data.environmentId]
      case 'ObservationGapStarted':
      case 'ObservationGapEnded':
        this.#gaps.apply(event)
        return nobody
      case 'HealthCheckFailed':
        this.#members.feel(event)
        return this.#suspectedIn(event.data.machineId)
      case 'MachineReregistered':
        this.#members.list(event)
        return this.#suspectedIn(event.data.machineId)
      case 'MachineRegistered':
      case 'MachineChanged':
      case 'MachineRestored':
      case 'MachineDeregistered':
      case 'MachineEnabled':
      case 'MachineDisabled':
      case 'MachineQuarantined':
      case 'MachineReleased':
        return this.#onMachine(event.data.machineId, () => this.#members.list(event))
      case 'MachineBecameHealthy':
      case 'MachineBecameDegraded':
      case 'MachineBecameUnhealthy':
      case 'MachineBecameUnavailable':
      case 'HealthForgotten':
        return this.#onMachine(event.data.machineId, () => this.#members.feel(event))
    }
  }

  /** Lateness and what a machine says of itself matter only where its removal is in question. */
  #suspectedIn(machineId: string): EnvironmentIds {
    const { environmentId = '' } = this.#members.get(machineId) ?? {}
    return this.#members.in.suspects(environmentId).has(machineId) ? [environmentId] : nobody
  }

  #applyToRollouts(event: RolloutNews): EnvironmentIds {
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

  /** Our own decisions: what is under way because of them, what a person has decided, and what providers said. */
  #applyToVerdicts(event: VerdictNews): EnvironmentIds {
    const { environmentId } = event.data
    switch (event.type) {
      case 'ReleaseCircuitClosed':
        return [environmentId]
      case 'RemovalsResumed':
        return event.data.by === 'person' ? [environmentId] : nobody
      case 'RemovalAbandoned':
        this.#members.answered(event.data.machineId)
        return nobody
      case 'ProviderAnswered':
      case 'ProviderFellSilent':
        this.#provided.apply(event)
        return [environmentId]
      case 'AutomaticDeploymentRequested':
      case 'AutomaticDeploymentSettled':
      case 'AutomaticDeploymentAbandoned':
        for (const machineId of this.asked.apply(event)) this.#behind.touched(machineId)
        return event.type === 'AutomaticDeploymentRequested' ? nobody : [environmentId]
    }
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
    const eligible = [...this.#members.in.registered(environmentId).values()].filter(
      (one) => ineligibility(one, environmentId, roles) === null,
    )
    return eligible.length > 0 && eligible.every(({ installed }) => installed.get(projectId)?.version === version)
  }
}
