import type { Message } from '#contracts/message.ts'
import { evolveServing, isServingFact, mayServe, nothingServes, type Serving } from './serving.ts'

/** What serves where: for each project in each environment, from the facts of all deployments in their order. */
export class Servings {
  readonly #places = new Map<string, Serving>()

  at = (projectId: string, environmentId: string): Serving =>
    this.#places.get(placeOf(projectId, environmentId)) ?? nothingServes

  /** Another project or environment that the machine may serve; null when there is none. */
  elsewhere(machineId: string, projectId: string, environmentId: string): string | null {
    const here = placeOf(projectId, environmentId)
    for (const [place, serving] of this.#places) if (place !== here && mayServe(serving, machineId)) return place
    return null
  }

  follow(event: Message): void {
    if (!isServingFact(event)) return
    const place = placeOf(event.data.projectId, event.data.environmentId)
    this.#places.set(place, evolveServing(this.#places.get(place) ?? nothingServes, event))
  }
}

const placeOf = (projectId: string, environmentId: string): string => `${projectId} in ${environmentId}`
