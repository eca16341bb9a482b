import type { AgentFrame } from '#contracts/agent.ts'
import type { CheckSignal } from '#contracts/signals.ts'
import { checkSignal } from '#contracts/subjects.ts'
import type { Platform } from '#libs/platform.ts'
import type { Heard } from './beats.ts'
import { FrameRate } from './frameRate.ts'
import type { Known } from './known.ts'
import type { GatewaySettings } from './settings.ts'

export interface CheckResultsNeeds {
  readonly platform: Pick<Platform, 'clock' | 'bus' | 'log'>
  readonly known: Known
  readonly settings: Pick<GatewaySettings, 'gatewayId' | 'checkResultsPerSecondMax'>
}

/** Tells those who keep the health of machines what the checks of one machine have found. */
export class CheckResults {
  readonly #needs: CheckResultsNeeds
  readonly #rate: FrameRate

  constructor(needs: CheckResultsNeeds) {
    this.#needs = needs
    this.#rate = new FrameRate(needs.settings.checkResultsPerSecondMax)
  }

  /** False when it is one too many. */
  take(result: Extract<AgentFrame, { type: 'check-result' }>, who: Omit<Heard, 'batch'>): boolean {
    const { platform, known, settings } = this.#needs
    const { clock, bus, log } = platform
    if (!this.#rate.take(clock.steadyMs())) return false
    const { machineId, partition } = who
    const { check, level, output, exitCode, durationMs, timedOut } = result
    // It was under way when the policy was changed, or the machine makes it up: either way nobody asked for it.
    if (!known.termsOf(machineId).checks.some(({ name }) => name === check)) {
      log.debug({ machineId, check }, 'a machine tells of a check that it is not to run')
      return true
    }
    const found = { check, level, output, exitCode, durationMs, timedOut }
    const signal: CheckSignal = { gatewayId: settings.gatewayId, machineId, ...found }
    bus.publish(checkSignal(partition), signal)
    return true
  }
}
