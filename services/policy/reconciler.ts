import { PolicyEvent } from '#contracts/policy.ts'
import type { Cause, Recorded } from '#contracts/message.ts'
import { policyStream } from '#contracts/subjects.ts'
import { createHandler } from '#libs/handle.ts'
import type { Platform } from '#libs/platform.ts'
import { Wakes } from '#libs/wakes.ts'
import type { Moment } from './bench.ts'
import { policy, type PolicyRequest } from './decider.ts'
import { Known } from './known.ts'
import { isNews } from './news.ts'
import { Pauses } from './pauses.ts'
import { RolloutCarrier } from './rolloutCarrier.ts'

type Wake = Pick<Cause, 'causationId' | 'correlationId'>

/**
 * Asks each environment's policy for its verdicts whenever something that may matter has happened, and every so often
 * for what only time brings. Level-triggered: it forgets nothing, since it remembers nothing but what is.
 */
export class Reconciler {
  readonly known = new Known()
  readonly #platform: Platform
  readonly #verdicts
  readonly #wakes = new Wakes<Wake>((environmentId, by) => this.#evaluate(environmentId, by))
  readonly #carrier: RolloutCarrier
  readonly #lastWake = new Map<string, Wake>()
  /** Environments that could not be evaluated when they should have been. */
  readonly #overdue = new Set<string>()

  readonly #pauses: Pauses

  /** @param sweepMs how often `sweep` is called */
  constructor(platform: Platform, sweepMs: number) {
    const { store, clock } = platform
    this.#platform = platform
    this.#pauses = new Pauses(clock, sweepMs)
    this.#verdicts = createHandler({ store, clock, decider: policy, schema: PolicyEvent })
    this.#carrier = new RolloutCarrier(platform, this.known.asked, async (asked, detail, cause) => {
      const { environmentId, deploymentId } = asked
      const nowMs = clock.steadyMs()
      await this.request({ type: 'AbandonDeployment', environmentId, deploymentId, detail, nowMs }, cause)
    })
  }

  request(asked: PolicyRequest, cause: Cause) {
    return this.#verdicts.handle(policyStream(asked.environmentId), asked, cause)
  }

  load(environmentId: string) {
    return this.#verdicts.load(policyStream(environmentId))
  }

  moment(): Moment {
    const { clock } = this.#platform
    return { nowMs: clock.steadyMs(), wallMs: clock.wallMs() }
  }

  /** Takes in the next events of the store, in order. */
  follow(events: readonly Recorded[]): void {
    for (const event of events) {
      if (!isNews(event)) continue
      const by = { causationId: event.meta.id, correlationId: event.meta.correlationId }
      for (const environmentId of this.known.apply(event)) {
        this.#lastWake.set(environmentId, by)
        this.#wakes.wake(environmentId, by)
      }
      if (event.type === 'AutomaticDeploymentRequested') this.#carrier.wake(event.data.deploymentId)
    }
  }

  /** From here on what happens has consequences; until then the past was only learnt. */
  goLive(): void {
    for (const environmentId of this.known.environmentIds()) this.#wakes.wake(environmentId, null)
    this.#wakes.goLive()
    this.#carrier.goLive()
  }

  /** Looks at the environments in which something may have become due by time alone. */
  sweep(): void {
    this.#pauses.swept()
    for (const environmentId of this.known.environmentIds())
      if (!this.known.isCalm(environmentId) || this.#overdue.has(environmentId)) this.#wakes.wake(environmentId, null)
    this.#carrier.sweep()
  }

  async rest(): Promise<void> {
    await this.#carrier.rest()
    await this.#wakes.rest()
  }

  async #evaluate(environmentId: string, by: Wake | null): Promise<void> {
    const { clock, log } = this.#platform
    const wake = by ?? this.#lastWake.get(environmentId)
    if (wake === undefined) return
    if (this.#pauses.isUnsettled) return void this.#overdue.add(environmentId)
    const decisionId = clock.id()
    const idOf = () => clock.id()
    const cause = { actor: 'service:policy', commandId: decisionId, ...wake }
    const { world } = this.known
    try {
      await this.request({ type: 'Evaluate', environmentId, world, ...this.moment(), decisionId, idOf }, cause)
      this.#overdue.delete(environmentId)
    } catch (error) {
      this.#overdue.add(environmentId)
      log.error({ error, environmentId }, 'a policy could not be evaluated and will be looked at again')
    }
  }
}
