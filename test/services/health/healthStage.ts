import type { Timer } from '#libs/clock.ts'
import type { EventStore } from '#libs/store/store.ts'
import { EnvironmentPolicy } from '#contracts/policySettings.ts'
import { environmentStream, heartbeatSignal } from '#contracts/subjects.ts'
import { startHealth, type HealthSettings } from '#services/health/service.ts'
import { Stage, type Settings } from '../deployment/stage.ts'

/** Health by itself, with a gateway that speaks up every second. */
export class HealthStage extends Stage {
  service!: AsyncDisposable
  /** What a gateway says when it is asked to ask a machine. */
  ping = { connected: true, answered: true, roundTripMs: 3 as number | null }

  async begin(settings: HealthSettings = {}): Promise<void> {
    this.service = this.use(await startHealth(this.platform, settings))
    if (this.speaking === undefined) this.speak()
  }
  /** A gateway speaks up every second, whether it has heard anybody or not, until it is told to be silent. */
  speaking: Timer | undefined
  speak(): void {
    this.platform.bus.publish(heartbeatSignal(0), { gatewayId: 'g', machineIds: [], closed: [] })
    this.speaking = this.clock.timer(1_000, () => this.speak())
  }
  async stop(): Promise<void> {
    const closed = this.service[Symbol.asyncDispose]()
    await this.clock.advance(6_000)
    await closed
  }
  async hear(...machineIds: readonly string[]): Promise<void> {
    this.platform.bus.publish(heartbeatSignal(0), { gatewayId: 'g', machineIds, closed: [] })
    await this.clock.settle()
  }
  /** Lets time pass in which these machines give signs of life. */
  async pass(ms: number, ...machineIds: readonly string[]): Promise<void> {
    for (let passed = 0; passed < ms; passed += 10_000) {
      await this.hear(...machineIds)
      await this.clock.advance(Math.min(10_000, ms - passed))
    }
  }
  async said(machineId = 'm-1'): Promise<readonly string[]> {
    return this.types(`health-${machineId}`)
  }
}

export async function healthStage(takeOver?: (store: EventStore) => EventStore): Promise<HealthStage> {
  const stage = new HealthStage(takeOver)
  await stage.environment()
  await stage.registered('m-1')
  await stage.begin()
  return stage
}

export const changePolicy = (stage: Stage, settings: Settings) =>
  stage.happened(environmentStream('production'), {
    type: 'EnvironmentPolicyChanged',
    data: { environmentId: 'production', policy: EnvironmentPolicy.parse(settings), policyVersion: 2 },
  })
