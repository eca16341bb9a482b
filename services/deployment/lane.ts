import type { DeploymentKind } from '#contracts/deployment.ts'

/** A deployment that has not ended, in the line of its project and environment. */
export interface Place {
  readonly deploymentId: string
  readonly kind: DeploymentKind
  readonly version: string
  /** Deployments get their places in the order in which they were created. */
  readonly number: number
  started: boolean
  supersededBy: string | null
}

/**
 * The line of one project in one environment. A release waits until all before it have ended, and whatever comes after
 * it waits for it; automatic deployments of single machines between two releases run beside each other. So nobody can
 * be overtaken, and nobody waits for ever.
 */
export class Lane {
  readonly #places = new Map<string, Place>()
  readonly #releases = new Map<string, Place>()
  #waiting = 0

  /** How many have not started. */
  get waiting(): number {
    return this.#waiting
  }

  enter(place: Place): void {
    this.#places.set(place.deploymentId, place)
    if (place.kind === 'release') this.#releases.set(place.deploymentId, place)
    if (!place.started) this.#waiting += 1
  }

  setStarted(place: Place, started: boolean): void {
    if (place.started === started) return
    place.started = started
    this.#waiting += started ? -1 : 1
  }

  leave(place: Place): void {
    if (!this.#places.delete(place.deploymentId)) return
    this.#releases.delete(place.deploymentId)
    if (!place.started) this.#waiting -= 1
  }

  mayStart(place: Place): boolean {
    const first = place.kind === 'release' ? firstOf(this.#places) : firstOf(this.#releases)
    return first === undefined || first === place || first.number > place.number
  }

  /** Those whose turn it is now. */
  next(): readonly string[] {
    if (this.#waiting === 0) return []
    const next: string[] = []
    for (const place of this.#places.values()) {
      if (!place.started && this.mayStart(place)) next.push(place.deploymentId)
      if (place.kind === 'release') break
    }
    return next
  }

  /** The whole environment has got a version: automatic deployments of another one that still wait come too late. */
  supersede(version: string): void {
    for (const place of this.#places.values())
      if (place.kind === 'automatic' && !place.started && place.version !== version) place.supersededBy = version
  }
}

const firstOf = (places: ReadonlyMap<string, Place>): Place | undefined => places.values().next().value
