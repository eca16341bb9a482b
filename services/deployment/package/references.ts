import type { DeploymentEvent } from '#contracts/deployment.ts'
import type { MachineEvent } from '#contracts/machine.ts'
import type { Message, Recorded } from '#contracts/message.ts'
import type { ProjectEvent, ReleaseEvent } from '#contracts/project.ts'
import type { PinnedPackage } from '#contracts/steps/package.ts'

type Followed = ProjectEvent | ReleaseEvent | DeploymentEvent | MachineEvent
type Created = Extract<DeploymentEvent, { type: 'DeploymentCreated' }>['data']
type Outcomes = Extract<DeploymentEvent, { type: 'DeploymentFailed' }>['data']['outcomes']

/** How many good releases of a place count: the last one, and the one before, to which people go back. */
const goodMax = 2

/**
 * Which uploaded packages may be needed again: those of the newest release of a project, of the one that an environment
 * should have, of its last good ones, of what is being deployed, and of what a machine has.
 */
export class PackageReferences {
  /** By release, its uploaded packages; releases without any are left out. */
  readonly #pins = new Map<string, readonly PinnedPackage[]>()
  readonly #newest = new Map<string, { readonly release: string; readonly position: number }>()
  /** By project and environment. */
  readonly #wanted = new Map<string, string>()
  readonly #good = new Map<string, readonly string[]>()
  readonly #underWay = new Map<string, Created>()
  /** By machine and project. */
  readonly #installed = new Map<string, Map<string, string>>()
  #position = 0

  /** Takes in what has happened, in order; what was taken in already changes nothing. */
  follow(event: Recorded): void {
    if (event.meta.position <= this.#position) return
    this.#position = event.meta.position
    this.#apply(event, event.meta.position)
  }

  /** Takes in what was stored just now and comes by again in its order. */
  anticipate(events: readonly Recorded[]): void {
    for (const event of events) if (event.meta.position > this.#position) this.#apply(event, event.meta.position)
  }

  /** The versions of a package that must not go. */
  versionsOf(name: string): ReadonlySet<string> {
    const releases = new Set([
      ...[...this.#newest.values()].map(({ release }) => release),
      ...this.#wanted.values(),
      ...[...this.#good.values()].flat(),
      ...[...this.#underWay.values()].map(({ projectId, version }) => releaseOf(projectId, version)),
      ...[...this.#installed.values()].flatMap((projects) => [...projects.values()]),
    ])
    const pins = [...releases].flatMap((release) => this.#pins.get(release) ?? [])
    return new Set(pins.filter((pin) => pin.name === name).map(({ version }) => version))
  }

  #apply(event: Message, position: number): void {
    const { type, data } = event as Followed
    if (type === 'ReleaseCreated') this.#released(data, position)
    if (type === 'ReleaseOverrideSet') {
      const place = placeOf(data.projectId, data.environmentId)
      if (data.version === null) this.#wanted.delete(place)
      else this.#wanted.set(place, releaseOf(data.projectId, data.version))
    }
    if (type === 'DeploymentCreated') this.#underWay.set(data.deploymentId, data)
    if (type === 'DeploymentSucceeded') this.#succeeded(data.deploymentId)
    if (type === 'DeploymentSucceeded' || type === 'DeploymentFailed' || type === 'DeploymentCancelled')
      this.#ended(data.deploymentId, data.outcomes)
    if (type === 'MachineDeregistered') this.#installed.delete(data.machineId)
  }

  #released({ projectId, version, packages = [] }: ReleaseEvent['data'], position: number): void {
    const release = releaseOf(projectId, version)
    const uploaded = packages.filter(({ source }) => source === 'upload')
    if (uploaded.length > 0) this.#pins.set(release, uploaded)
    if (position > (this.#newest.get(projectId)?.position ?? 0)) this.#newest.set(projectId, { release, position })
  }

  /** What was asked for a whole environment and went well is what it should have. */
  #succeeded(deploymentId: string): void {
    const created = this.#underWay.get(deploymentId)
    if (created === undefined || created.kind !== 'release' || created.machineIds !== null) return
    const place = placeOf(created.projectId, created.environmentId)
    const release = releaseOf(created.projectId, created.version)
    const before = (this.#good.get(place) ?? []).filter((one) => one !== release)
    this.#good.set(place, [release, ...before].slice(0, goodMax))
  }

  #ended(deploymentId: string, outcomes: Outcomes): void {
    const created = this.#underWay.get(deploymentId)
    this.#underWay.delete(deploymentId)
    if (created === undefined) return
    const { projectId, version } = created
    const release = releaseOf(projectId, version)
    for (const { machineId, outcome } of outcomes) {
      if (outcome !== 'succeeded') continue
      const projects = this.#installed.get(machineId) ?? new Map<string, string>()
      if (this.#pins.has(release)) this.#installed.set(machineId, projects.set(projectId, release))
      else projects.delete(projectId)
    }
  }
}

const releaseOf = (projectId: string, version: string): string => `${projectId}@${version}`
const placeOf = (projectId: string, environmentId: string): string => `${projectId} ${environmentId}`
