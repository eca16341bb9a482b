import type { Cause } from '#contracts/message.ts'
import { BusFault } from '#libs/bus/bus.ts'
import type { Platform } from '#libs/platform.ts'
import { Wakes } from '#libs/wakes.ts'
import type { AskedDeployments, Requested } from './asked.ts'

type GiveUp = (asked: Requested['data'], detail: string, cause: Cause) => Promise<void>

/**
 * Has the automatic deployments made that policy asked for, many at once. It goes by what is missing and not by what it
 * has sent, so a crash, a lost answer or a service that was away costs time and nothing else.
 */
export class RolloutCarrier {
  readonly #platform: Platform
  readonly #asked: AskedDeployments
  readonly #giveUp: GiveUp
  readonly #wakes = new Wakes<never>((deploymentId) => this.#carry(deploymentId))

  /** @param giveUp records that a deployment will not be made, and why */
  constructor(platform: Platform, asked: AskedDeployments, giveUp: GiveUp) {
    this.#platform = platform
    this.#asked = asked
    this.#giveUp = giveUp
  }

  wake(deploymentId: string): void {
    this.#wakes.wake(deploymentId, null)
  }

  goLive(): void {
    this.sweep()
    this.#wakes.goLive()
  }

  sweep(): void {
    for (const deploymentId of this.#asked.allUnmade()) this.wake(deploymentId)
  }

  rest(): Promise<void> {
    return this.#wakes.rest()
  }

  async #carry(deploymentId: string): Promise<void> {
    const asked = this.#asked.unmade(deploymentId)
    if (asked === undefined) return
    const { ask, log } = this.#platform
    const { environmentId, projectId, version, machineIds } = asked.data
    const data = { deploymentId, projectId, version, environmentId, kind: 'automatic', machineIds }
    const cause = causeOf(asked, 'create')
    try {
      const answer = await ask('deployment', { type: 'CreateDeployment', data }, cause)
      if ('refused' in answer) await this.#giveUp(asked.data, answer.detail, causeOf(asked, 'give-up'))
    } catch (error) {
      const isAbsent = error instanceof BusFault && error.reason === 'no-responders'
      if (!isAbsent) log.warn({ error, deploymentId }, 'an automatic deployment could not be made yet')
    }
  }
}

/** The same decision always leads to the same command ids, so what is sent again is answered and not carried out. */
const causeOf = ({ meta }: Requested, what: string): Cause => ({
  actor: 'service:policy',
  commandId: `${meta.id}/${what}`,
  correlationId: meta.correlationId,
  causationId: meta.id,
})
