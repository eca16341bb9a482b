import type { DeploymentEvent } from '#contracts/deployment.ts'
import type { Message } from '#contracts/message.ts'
import type { ProjectEvent, ReleaseEvent } from '#contracts/project.ts'
import { Servings } from './run/swap/servings.ts'
import type { ChildDeployment, WantedVersion } from './run/world.ts'

type Followed = ProjectEvent | ReleaseEvent | DeploymentEvent

/**
 * What a run may ask of other projects and deployments: which versions there are, how those that it made stand, and what
 * they have left serving.
 */
export class Others {
  readonly servings = new Servings()
  readonly #versions = new Map<string, Set<string>>()
  readonly #pinned = new Map<string, string>()
  readonly #succeeded = new Map<string, string>()
  readonly #whole = new Map<string, { readonly place: string; readonly version: string }>()
  readonly #children = new Map<string, ChildDeployment>()
  readonly #parentOf = new Map<string, string>()
  readonly #childrenOf = new Map<string, string[]>()

  child = (deploymentId: string): ChildDeployment | undefined => this.#children.get(deploymentId)

  /** The newest version, the one that the environment should have, or the one that is named, if there is one. */
  versionOf = (projectId: string, environmentId: string, wanted: WantedVersion): string | null => {
    const versions = this.#versions.get(projectId)
    if (wanted === 'latest') return [...(versions ?? [])].at(-1) ?? null
    const place = placeOf(projectId, environmentId)
    if (wanted === 'desired') return this.#pinned.get(place) ?? this.#succeeded.get(place) ?? null
    return versions?.has(wanted) === true ? wanted : null
  }

  /** @returns the deployment that made the one of which this is news */
  follow(event: Message): string | null {
    this.servings.follow(event)
    const { type, data } = event as Followed
    if (type === 'ReleaseCreated') {
      const versions = this.#versions.get(data.projectId) ?? new Set()
      this.#versions.set(data.projectId, versions.add(data.version))
    }
    if (type === 'ReleaseOverrideSet') {
      const place = placeOf(data.projectId, data.environmentId)
      if (data.version === null) this.#pinned.delete(place)
      else this.#pinned.set(place, data.version)
    }
    if (type === 'ChildDeploymentRequested') this.#wanted(data)
    if (type === 'DeploymentCreated') return this.#created(data)
    if (type === 'DeploymentSucceeded') return this.#ended(data.deploymentId, { state: 'succeeded', reason: null })
    if (type === 'DeploymentFailed') return this.#ended(data.deploymentId, { state: 'failed', reason: data.reason })
    if (type === 'DeploymentCancelled')
      return this.#ended(data.deploymentId, { state: 'cancelled', reason: data.reason })
    return null
  }

  #created({ deploymentId, projectId, environmentId, version, kind, machineIds }: Created): string | null {
    const place = placeOf(projectId, environmentId)
    if (kind === 'release' && machineIds === null) this.#whole.set(deploymentId, { place, version })
    if (this.#parentOf.has(deploymentId)) this.#children.set(deploymentId, { state: 'open', reason: null })
    return this.#parentOf.get(deploymentId) ?? null
  }

  #wanted({ deploymentId, childId }: { readonly deploymentId: string; readonly childId: string }): void {
    this.#parentOf.set(childId, deploymentId)
    this.#childrenOf.set(deploymentId, [...(this.#childrenOf.get(deploymentId) ?? []), childId])
  }

  /** Whoever has ended asks for nobody any more. */
  #ended(deploymentId: string, end: ChildDeployment): string | null {
    const whole = this.#whole.get(deploymentId)
    if (whole !== undefined && end.state === 'succeeded') this.#succeeded.set(whole.place, whole.version)
    this.#whole.delete(deploymentId)
    for (const childId of this.#childrenOf.get(deploymentId) ?? []) {
      this.#children.delete(childId)
      this.#parentOf.delete(childId)
    }
    this.#childrenOf.delete(deploymentId)
    if (this.#parentOf.has(deploymentId)) this.#children.set(deploymentId, end)
    return this.#parentOf.get(deploymentId) ?? null
  }
}

type Created = Extract<DeploymentEvent, { type: 'DeploymentCreated' }>['data']

const placeOf = (projectId: string, environmentId: string): string => `${projectId} ${environmentId}`
