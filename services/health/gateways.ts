import type { Clock } from '#libs/clock.ts'

/**
 * Who can be heard at all. Gateways speak up every second, also when they have heard nobody; one that does not is gone
 * or cut off, and when none does, we are deaf: whoever is silent then is silent because of us.
 */
export class Gateways {
  readonly #clock: Pick<Clock, 'steadyMs'>
  readonly #silentMs: number
  readonly #spokeMs = new Map<string, number>()
  #lastMs: number

  /** @param silentMs after how long without a word a gateway counts as gone */
  constructor(clock: Pick<Clock, 'steadyMs'>, silentMs: number) {
    this.#clock = clock
    this.#silentMs = silentMs
    this.#lastMs = clock.steadyMs()
  }

  /** @returns for how long none had spoken before */
  spoke(gatewayId: string): number {
    const hushMs = this.hushMs()
    this.#lastMs = this.#clock.steadyMs()
    this.#spokeMs.set(gatewayId, this.#lastMs)
    return hushMs
  }

  /** For how long none has spoken. */
  hushMs(): number {
    return this.#clock.steadyMs() - this.#lastMs
  }

  /** Those that have spoken and are not known to be gone. */
  present(): readonly string[] {
    return [...this.#spokeMs.keys()]
  }

  /** This process did not run for a while, so it could not hear anybody either. */
  forgive(gapMs: number): void {
    this.#lastMs += gapMs
    for (const [gatewayId, atMs] of this.#spokeMs) this.#spokeMs.set(gatewayId, atMs + gapMs)
  }

  /** Since when nobody could be heard; null while somebody can. */
  deafSince(): number | null {
    return this.hushMs() > this.#silentMs ? this.#lastMs : null
  }

  /** The gateways that have fallen silent since it was last asked, while others still speak. */
  lost(): readonly string[] {
    if (this.deafSince() !== null) return []
    const untilMs = this.#clock.steadyMs() - this.#silentMs
    const lost = [...this.#spokeMs].filter(([, atMs]) => atMs < untilMs).map(([gatewayId]) => gatewayId)
    for (const gatewayId of lost) this.#spokeMs.delete(gatewayId)
    return lost
  }
}
