import type { AnyEvent } from './events.ts'
import { Fleet } from './fleetModel.ts'
import { Rollouts } from './rolloutModel.ts'

/**
 * What the log says, folded a second time and by other code than the services': operators act on it and rules are
 * judged by it.
 */
export class Model {
  readonly fleet = new Fleet()
  readonly rollouts = new Rollouts(this.fleet)

  apply(event: AnyEvent): void {
    this.fleet.apply(event)
    this.rollouts.apply(event)
  }
}
