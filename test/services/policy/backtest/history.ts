import type { Recorded } from '#contracts/message.ts'
import type { PolicyEvent } from '#contracts/policy.ts'
import { EnvironmentPolicy } from '#contracts/policySettings.ts'
import { environmentStream, healthStream, machineStream, policyStream } from '#contracts/subjects.ts'
import { benchOf } from '#services/policy/bench.ts'
import { evolve } from '#services/policy/evolve.ts'
import { Known } from '#services/policy/known.ts'
import { isNews } from '#services/policy/news.ts'
import { removalVerdicts } from '#services/policy/removals.ts'
import { noVerdicts, type Verdicts } from '#services/policy/state.ts'
import type { Settings } from '../../deployment/stage.ts'

export const environmentId = 'production'
/** What the wall clock shows when the steady one shows 0. */
export const wallStartMs = Date.UTC(2026, 0, 1)
const roundsMax = 1_000

export const doings = ['silent', 'heard', 'late', 'disabled', 'enabled', 'sold', 'not-contactable'] as const
type Doing = (typeof doings)[number]

/** Something that happens whatever the policy is; instants are seconds. */
export type Happening = { readonly at: number } & (
  | { readonly what: Doing; readonly machine: number }
  | { readonly what: 'gap'; readonly forS: number }
  | { readonly what: 'provider'; readonly machine: number; readonly state: 'running' | 'terminated' | 'unknown' }
  | { readonly what: 'provider-silent' | 'release' }
  | { readonly what: 'policy'; readonly settings: Settings }
)

export interface Scenario {
  readonly machines: number
  readonly zones: number
  readonly untilS: number
  readonly happenings: readonly Happening[]
}

const idOf = (machine: number) => `m-${machine}`

/**
 * Lives through a scenario under a policy, one second after another, with policy's own knowledge and its own decision:
 * what is written down is what a server would have written down.
 */
export function live(scenario: Scenario, settings: Settings): readonly Recorded[] {
  const life = new Life(settings, scenario)
  const happenings = scenario.happenings.toSorted((a, b) => a.at - b.at)
  let next = 0
  for (let second = 1; second <= scenario.untilS; second++) {
    for (; next < happenings.length && happenings[next]!.at <= second; next++) life.happen(happenings[next]!)
    life.look(second * 1_000)
  }
  return life.events
}

class Life {
  readonly events: Recorded[] = []
  readonly #known = new Known()
  readonly #sold = new Set<string>()
  readonly #versions = new Map<string, number>()
  #state: Verdicts = noVerdicts
  #nowMs = 0
  #decisions = 0
  #policyVersion = 1

  constructor(settings: Settings, { machines, zones }: Scenario) {
    this.#settle('EnvironmentCreated', settings)
    for (let machine = 0; machine < machines; machine++) {
      this.#register(idOf(machine), { zone: `z-${machine % zones}` }, null)
      this.#feel(idOf(machine), 'MachineBecameHealthy')
    }
  }

  happen(happening: Happening): void {
    this.#nowMs = happening.at * 1_000
    if ('machine' in happening && happening.what !== 'provider')
      return this.#toMachine(happening.what, idOf(happening.machine))
    switch (happening.what) {
      case 'gap': {
        const about = { observerId: 'health', reason: 'stalled', startedAt: this.#nowMs - happening.forS * 1_000 }
        return this.#record('observer-health', 'ObservationGapEnded', { ...about, endedAt: this.#nowMs })
      }
      case 'provider': {
        const machines = [{ machineId: idOf(happening.machine), state: happening.state }]
        return this.#decide({ type: 'ProviderAnswered', data: { ...this.#ofProvider(), machines } })
      }
      case 'provider-silent':
        return this.#decide({ type: 'ProviderFellSilent', data: { ...this.#ofProvider(), detail: 'away' } })
      case 'release': {
        const machineIds = [...this.#state.withheld]
        const data = { environmentId, machineIds, by: 'person' as const }
        return machineIds.length === 0 ? undefined : this.#decide({ type: 'RemovalsResumed', data })
      }
      case 'policy':
        this.#policyVersion += 1
        return this.#settle('EnvironmentPolicyChanged', happening.settings)
    }
  }

  look(nowMs: number): void {
    this.#nowMs = nowMs
    for (let round = 0; round < roundsMax; round++) {
      const bench = benchOf(environmentId, this.#state, this.#known.world, { nowMs, wallMs: wallStartMs + nowMs })
      const verdicts = bench === null ? [] : removalVerdicts(bench, `d-${(this.#decisions += 1)}`)
      for (const verdict of verdicts) this.#decide(verdict)
      const removed = verdicts.flatMap((verdict) => (verdict.type === 'RemovalRequested' ? [verdict.data] : []))
      for (const { machineId, decisionId } of removed) this.#takeOut(machineId, 'policy', decisionId)
      if (removed.length === 0) return
    }
  }

  #toMachine(what: Doing, machineId: string): void {
    const known = this.#known.world.member(machineId)
    const isHere = known?.registered === true
    const isHeard = isHere && known.enabled
    switch (what) {
      case 'heard':
        if (isHeard) return this.#feel(machineId, 'MachineBecameHealthy')
        if (isHere || this.#sold.has(machineId)) return
        this.#register(machineId, known?.attributes ?? {}, 'policy')
        return this.#feel(machineId, 'MachineBecameHealthy')
      case 'silent':
        return isHeard && known.status !== 'unavailable' ? this.#feel(machineId, 'MachineBecameUnavailable') : undefined
      case 'late': {
        const isNews = isHeard && known.status === 'healthy'
        return isNews ? this.#feel(machineId, 'HealthCheckFailed', { check: 'heartbeat' }) : undefined
      }
      case 'disabled':
        return isHeard ? this.#list('MachineDisabled', { machineId, reason: 'x' }) : undefined
      case 'enabled':
        return isHere && !isHeard ? this.#list('MachineEnabled', { machineId }) : undefined
      case 'sold':
        this.#sold.add(machineId)
        return isHere ? this.#takeOut(machineId, 'person', null) : undefined
      case 'not-contactable': {
        const data = { deploymentId: 'd', machineId, cause: 'not-contactable', detail: '', actor: 'x' }
        return isHeard ? this.#record('deployment-d', 'TargetExcluded', data) : undefined
      }
    }
  }

  #ofProvider() {
    return { environmentId, provider: 'cloud', at: this.#nowMs }
  }

  #register(machineId: string, attributes: Readonly<Record<string, string>>, kind: string | null): void {
    const who = { machineId, name: `name-of-${machineId}`, environmentId, roles: ['web'], attributes, facts: null }
    const returnedFrom = kind && { kind, reason: '', decisionId: null, deploymentId: null }
    this.#list('MachineRegistered', { ...who, publicKey: null, enrollmentId: null, returnedFrom })
  }

  #feel(machineId: string, type: string, more: object = {}): void {
    const evidence = { kind: 'heartbeat', lastHeardAt: null, silentMs: 0, thresholdMs: null, observerId: 'health' }
    this.#record(healthStream(machineId), type, { machineId, at: this.#nowMs, evidence, previous: 'unknown', ...more })
  }

  #takeOut(machineId: string, kind: string, decisionId: string | null): void {
    const cause = { kind, reason: '', decisionId, deploymentId: null }
    const who = { machineId, name: machineId, environmentId, roles: ['web'] }
    this.#list('MachineDeregistered', { ...who, cause, evidence: null, policyVersion: 1 })
    this.#record(healthStream(machineId), 'HealthForgotten', { machineId, at: this.#nowMs })
  }

  #list(type: string, data: { readonly machineId: string } & Readonly<Record<string, unknown>>): void {
    this.#record(machineStream(data.machineId), type, data)
  }

  #settle(type: string, settings: Settings): void {
    const policy = EnvironmentPolicy.parse(settings)
    const data = { environmentId, name: environmentId, policy, policyVersion: this.#policyVersion }
    this.#record(environmentStream(environmentId), type, data)
  }

  #decide(verdict: PolicyEvent): void {
    this.#state = evolve(this.#state, verdict)
    this.#record(policyStream(environmentId), verdict.type, verdict.data)
  }

  #record(stream: string, type: string, data: unknown): void {
    const position = this.events.length + 1
    const version = (this.#versions.get(stream) ?? 0) + 1
    this.#versions.set(stream, version)
    const cause = { actor: 'test', commandId: `c-${position}`, correlationId: 'c', causationId: null }
    const meta = { id: `e-${position}`, stream, version, position, at: wallStartMs + this.#nowMs, ...cause }
    const event: Recorded = { type, data, meta }
    this.events.push(event)
    if (isNews(event)) this.#known.apply(event)
  }
}
