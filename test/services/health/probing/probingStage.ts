import type { HealthCommand } from '#contracts/health.ts'
import type { Probe } from '#contracts/probe.ts'
import { heartbeatSignal, machineStream } from '#contracts/subjects.ts'
import type { Timer } from '#libs/clock.ts'
import { unseen, type Verdict } from '#services/health/probing/classify.ts'
import { startHealth, type HealthSettings } from '#services/health/service.ts'
import { Stage, type Settings } from '../../deployment/stage.ts'

export const passes: Verdict = { reach: 'answers', finding: 'answered', level: 'ok', detail: 'it takes connections' }
export const warns: Verdict = { reach: 'answers', finding: 'check-warned', level: 'warning', detail: 'load' }
export const fails: Verdict = { reach: 'answers', finding: 'unexpected-answer', level: 'failure', detail: '503' }
export const silent: Verdict = { reach: 'silent', finding: 'refused', level: 'failure', detail: 'it refuses' }
export const busy: Verdict = unseen('busy')

/** One look that was begun. */
interface Begun {
  readonly host: string
  readonly atMs: number
  readonly timeoutMs: number
}

/** Machines without an agent, whose answers the test plays, at a health service of its own. */
export class ProbingStage extends Stage {
  service!: AsyncDisposable
  readonly begun: Begun[] = []
  underWay = 0
  mostAtOnce = 0
  /** How each machine answers, by its id; all others pass. */
  readonly answers = new Map<string, Verdict>()
  /** How long a look takes. */
  lookMs = 10
  speaking: Timer | undefined

  async begin(settings: HealthSettings = {}): Promise<void> {
    const probing = { look: this.look, ...settings.probing }
    this.service = this.use(await startHealth(this.platform, { ...settings, probing }))
    if (this.speaking === undefined) this.speak()
  }
  async stop(): Promise<void> {
    const closed = this.service[Symbol.asyncDispose]()
    await this.clock.advance(6_000)
    await closed
  }
  speak(): void {
    this.platform.bus.publish(heartbeatSignal(0), { gatewayId: 'g', machineIds: [], closed: [] })
    this.speaking = this.clock.timer(1_000, () => this.speak())
  }
  hush(): void {
    this.speaking?.cancel()
  }

  /** What the machine answers is decided when the look ends. */
  look = async (probe: Probe, timeoutMs: number, cancel: AbortSignal): Promise<Verdict> => {
    const host = probe.kind === 'http' ? probe.url : probe.host
    this.begun.push({ host, atMs: this.clock.steadyMs(), timeoutMs })
    this.underWay += 1
    this.mostAtOnce = Math.max(this.mostAtOnce, this.underWay)
    await this.clock.sleep(this.lookMs, cancel)
    this.underWay -= 1
    return this.answers.get(host) ?? passes
  }

  async probed(machineId: string, port = 22): Promise<void> {
    await this.registered(machineId, { hasAgent: false })
    await this.probe(machineId, { kind: 'tcp', host: machineId, port })
  }
  /** Machines `m-0`, `m-1` and so on, as they were before anybody looked. */
  async probedMany(count: number): Promise<void> {
    for (let n = 0; n < count; n++) {
      const machineId = `m-${n}`
      const who = { machineId, name: machineId, environmentId: 'production', roles: [], facts: null, attributes: {} }
      const data = { ...who, publicKey: null, enrollmentId: null, returnedFrom: null }
      const probe = { machineId, probe: { kind: 'tcp', host: machineId, port: 22 } }
      const facts = [
        { type: 'MachineRegistered', data },
        { type: 'MachineProbeChanged', data: probe },
      ]
      await this.store.append(machineStream(machineId), 0, facts, this.cause())
    }
  }
  async probe(machineId: string, probe: Probe | null): Promise<void> {
    await this.happened(machineStream(machineId), { type: 'MachineProbeChanged', data: { machineId, probe } })
  }
  async machineFact(type: string, machineId: string, more: object = {}): Promise<void> {
    await this.happened(machineStream(machineId), { type, data: { machineId, ...more } })
  }
  play(verdict: Verdict, ...machineIds: readonly string[]): void {
    for (const machineId of machineIds) this.answers.set(machineId, verdict)
  }
  said = (machineId = 'm-1') => this.types(`health-${machineId}`)
  looksAt = (machineId: string) => this.begun.filter(({ host }) => host === machineId).map(({ atMs }) => atMs)
  confirm = (machineId = 'm-1', rule?: Extract<HealthCommand, { type: 'ConfirmUnavailable' }>['data']['rule']) =>
    this.ask('health', 'ConfirmUnavailable', { machineId, ...(rule === undefined ? {} : { rule }) })
}

/** One machine, `m-1`, that is looked at every minute unless the settings say otherwise. */
export async function probingStage(settings: Settings = {}, health: HealthSettings = {}): Promise<ProbingStage> {
  const stage = new ProbingStage()
  await stage.environment('production', settings)
  await stage.probed('m-1')
  await stage.begin(health)
  return stage
}

export const minuteMs = 60_000
