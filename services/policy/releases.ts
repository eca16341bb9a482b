import { isForAutomaticDeployments, type Ending } from './endings.ts'
import type { DeploymentEvent } from '#contracts/deployment.ts'
import type { Recorded } from '#contracts/message.ts'
import type { ProjectEvent, ReleaseEvent } from '#contracts/project.ts'
import { releaseKey } from './state.ts'
import type { Desired, Installed } from './world.ts'

/** A deployment that has not ended. */
export interface Running {
  readonly projectId: string
  readonly version: string
  readonly environmentId: string
  readonly kind: 'release' | 'automatic'
  /** Whether it is for named machines only. */
  readonly partial: boolean
  readonly position: number
}

interface Release {
  readonly targetRoles: readonly string[]
  readonly isAutomatic: boolean
}

type Created = Recorded<Extract<DeploymentEvent, { type: 'DeploymentCreated' }>>

/** Which release machines should have: by project and environment, what was pinned, or the last that succeeded. */
export class Releases {
  readonly #releases = new Map<string, Release>()
  readonly #running = new Map<string, Running>()
  readonly #busy = new Map<string, number>()
  readonly #succeeded = new Map<string, Installed>()
  readonly #overrides = new Map<string, Installed>()
  readonly #projectIds = new Set<string>()

  desired(environmentId: string): readonly Desired[] {
    return [...this.#projectIds].flatMap((projectId) => this.desiredOf(projectId, environmentId) ?? [])
  }

  desiredOf(projectId: string, environmentId: string): Desired | null {
    const lane = laneKey(projectId, environmentId)
    const chosen = this.#overrides.get(lane) ?? this.#succeeded.get(lane)
    const release = chosen && this.#releases.get(releaseKey(projectId, chosen.version))
    // A release that does nothing by itself on machines is not worth a deployment to each that comes.
    if (chosen === undefined || release?.isAutomatic !== true) return null
    return { projectId, ...chosen, targetRoles: release.targetRoles, busy: (this.#busy.get(lane) ?? 0) > 0 }
  }

  targetRolesOf(projectId: string, version: string): readonly string[] {
    return this.#releases.get(releaseKey(projectId, version))?.targetRoles ?? []
  }

  projectCreated(projectId: string): void {
    this.#projectIds.add(projectId)
  }

  releaseCreated({ projectId, version, targetRoles, process }: Extract<ReleaseEvent, object>['data']): void {
    const isAutomatic = process.steps.some(isForAutomaticDeployments)
    this.#releases.set(releaseKey(projectId, version), { targetRoles, isAutomatic })
  }

  pinned({ data, meta }: Recorded<Extract<ProjectEvent, { type: 'ReleaseOverrideSet' }>>): void {
    const { projectId, environmentId, version } = data
    const lane = laneKey(projectId, environmentId)
    if (version === null) this.#overrides.delete(lane)
    else this.#overrides.set(lane, { version, position: meta.position })
  }

  deploymentCreated({ data, meta }: Created): void {
    const { deploymentId, projectId, version, environmentId, kind, machineIds } = data
    const position = kind === 'release' ? meta.position : this.#decidedAt(projectId, environmentId, version)
    const partial = machineIds !== null
    this.#running.set(deploymentId, { projectId, version, environmentId, kind, partial, position })
    if (kind === 'release') this.#addBusy(laneKey(projectId, environmentId), 1)
  }

  /** The deployments of releases to an environment that have not ended, with the roles that they are for. */
  runningIn(environmentId: string) {
    return [...this.#running]
      .filter(([, running]) => running.kind === 'release' && running.environmentId === environmentId)
      .map(([deploymentId, { projectId, version, partial }]) => ({
        ...{ deploymentId, partial },
        targetRoles: this.targetRolesOf(projectId, version),
      }))
  }

  /** @returns what ended; undefined when nobody knows it */
  deploymentEnded({ deploymentId }: Ending['data']): Running | undefined {
    const ended = this.#running.get(deploymentId)
    if (ended === undefined) return undefined
    this.#running.delete(deploymentId)
    if (ended.kind === 'release') this.#addBusy(laneKey(ended.projectId, ended.environmentId), -1)
    return ended
  }

  hasSucceeded({ projectId, environmentId, version, position }: Running): void {
    this.#succeeded.set(laneKey(projectId, environmentId), { version, position })
  }

  /**
   * An automatic deployment carries out an earlier decision, and what it installs is as old as that decision: else a
   * machine that came late would seem to have something newer than a release that was decided in between.
   */
  #decidedAt(projectId: string, environmentId: string, version: string): number {
    const desired = this.desiredOf(projectId, environmentId)
    return desired?.version === version ? desired.position : 0
  }

  #addBusy(lane: string, change: number): void {
    this.#busy.set(lane, Math.max(0, (this.#busy.get(lane) ?? 0) + change))
  }
}

const laneKey = (projectId: string, environmentId: string) => `${projectId} ${environmentId}`
