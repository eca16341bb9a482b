import type { DeploymentKind } from '#contracts/deployment.ts'

/** A deployment that has not ended, in the line of its project and environment. */
export interface Place {
  readonly deploymentId: string
  readonly kind: DeploymentKind
  readonly version: string
  /** The higher goes first; of equal ones, who was created first. */
  readonly priority: number
  /** Deployments get their numbers in the order in which they were created. */
  readonly number: number
  /** Whether its time has come: until then it is in nobody's way. */
  readonly isDue: () => boolean
  supersededBy: string | null
}

/**
 * The line of one project in one environment. A release waits until all that have started have ended and nobody is
 * before it, and whatever is behind it waits for it; automatic deployments of single machines between two releases run
 * beside each other. A priority is a place in the line: who has started is never interrupted for it.
 */
export class Lane {
  readonly #started = new Map<string, Place>()
  /** Those who have not started, in the order in which they may. */
  readonly #waiting: Place[] = []

  /** How many have not started. */
  get waiting(): number {
    return this.#waiting.length
  }

  enter(place: Place): void {
    const at = this.#waiting.findLastIndex((other) => goesBefore(other, place))
    this.#waiting.splice(at + 1, 0, place)
  }

  setStarted(place: Place, started: boolean): void {
    if (this.#started.has(place.deploymentId) === started) return
    this.leave(place)
    if (started) this.#started.set(place.deploymentId, place)
    else this.enter(place)
  }

  leave(place: Place): void {
    const at = this.#waiting.indexOf(place)
    if (at === -1) this.#started.delete(place.deploymentId)
    else this.#waiting.splice(at, 1)
  }

  /** Whom it has to wait for: somebody who has started, or who goes first; null when it is its turn. */
  ahead(place: Place): Place | null {
    if (this.#started.has(place.deploymentId)) return null
    const excludes = (other: Place) => place.kind === 'release' || other.kind === 'release'
    const busy = [...this.#started.values()].find(excludes)
    return busy ?? this.#waiting.find((other) => goesBefore(other, place) && excludes(other) && other.isDue()) ?? null
  }

  /** Those whose turn it is now. */
  next(): readonly string[] {
    const next: string[] = []
    for (const place of this.#waiting) {
      if (!place.isDue()) continue
      if (this.ahead(place) !== null) break
      next.push(place.deploymentId)
      if (place.kind === 'release') break
    }
    return next
  }

  /** The whole environment has got a version: automatic deployments of another one that still wait come too late. */
  supersede(version: string): void {
    for (const place of this.#waiting)
      if (place.kind === 'automatic' && place.version !== version) place.supersededBy = version
  }
}

const goesBefore = (one: Place, other: Place): boolean =>
  one.priority > other.priority || (one.priority === other.priority && one.number < other.number)
