import type { ModelMachine } from '../fleetModel.ts'
import { reactTo, type AnyEvent, type EventOf, type Reactions } from '../events.ts'
import type { Breach, Scene } from './rule.ts'

/** What is recorded a moment before a verdict may not have been known to whoever gave it. */
const unknownYetMs = 10_000

/** R2 and R3: who may be called silent, and who may be removed for it. Looked at with every event, before it is folded. */
export class RemovalRules {
  readonly #scene: Scene
  readonly #recordedMs = new Map<string, number>()
  readonly #policyChangedMs = new Map<string, number>()
  readonly #removals = new Map<string, number[]>()

  readonly #reactions: Reactions<Breach | null> = {
    EnvironmentPolicyChanged: ({ data }) => {
      this.#policyChangedMs.set(data.environmentId, this.#scene.nowMs())
      return null
    },
    HealthCheckFailed: ({ data }) => this.#checkSilence(data.machineId, data.evidence.silentMs),
    MachineBecameUnavailable: ({ data }) => {
      this.#recordedMs.set(data.machineId, this.#scene.nowMs())
      return this.#checkSilence(data.machineId, data.evidence.silentMs)
    },
    MachineDeregistered: (event) => this.#checkRemoval(event),
    RemovalRequested: (event) =>
      this.#checkSilence(event.data.machineId, event.data.observedMs) ?? this.#checkGuard(event),
  }

  constructor(scene: Scene) {
    this.#scene = scene
  }

  check(event: AnyEvent): Breach | null {
    return reactTo(this.#reactions, event) ?? null
  }

  /** R2: no machine is charged with a silence that was not there, or that nobody listened to. */
  #checkSilence(machineId: string, chargedMs: number): Breach | null {
    const { truth, model, lateMs } = this.#scene
    const lateEnoughMs = lateMs(model.fleet.machines.get(machineId)?.environmentId ?? '')
    const heardMs = truth.lastHeardMs(machineId, lateEnoughMs)
    if (heardMs === null) return null
    const trueMs = truth.listenedMs(heardMs)
    if (chargedMs <= trueMs + lateEnoughMs) return null
    const detail = `charged with a silence of ${Math.round(chargedMs)} ms, of which ${Math.round(trueMs)} ms are true`
    return { rule: 'R2', ids: [machineId], detail }
  }

  /** R2: no machine is removed for its silence while it answers. */
  #checkRemoval({
    data: { machineId, environmentId, cause, evidence },
  }: EventOf<'MachineDeregistered'>): Breach | null {
    if (cause.kind !== 'policy' && cause.kind !== 'not-contactable') return null
    const { truth, model, lateMs, nowMs } = this.#scene
    const lateEnoughMs = lateMs(environmentId)
    const { unavailableAfterMs } = model.fleet.policies.get(environmentId)!.health
    const heardMs = truth.lastHeardMs(machineId, lateEnoughMs)
    const sinceMs = heardMs === null ? Infinity : nowMs() - heardMs
    if (sinceMs < unavailableAfterMs - lateEnoughMs)
      return { rule: 'R2', ids: [machineId], detail: `removed although heard ${Math.round(sinceMs)} ms before` }
    return this.#checkSilence(machineId, Number(evidence?.['observedMs'] ?? 0))
  }

  /** R3: in a mass failure few go at a time, and none at all in a large one. */
  #checkGuard({ data }: EventOf<'RemovalRequested'>): Breach | null {
    const { environmentId, machineId, at } = data
    const { model, nowMs } = this.#scene
    const { guard } = model.fleet.policies.get(environmentId)!
    const recent = (this.#removals.get(environmentId) ?? []).filter((before) => before > at - guard.releaseEveryMs)
    this.#removals.set(environmentId, [...recent, at])
    const isJustChanged = nowMs() - (this.#policyChangedMs.get(environmentId) ?? -Infinity) < unknownYetMs
    if (!guard.enabled || isJustChanged || model.fleet.released.has(machineId)) return null

    const registered = model.fleet.registeredIn(environmentId)
    const known = registered.filter((one) => this.#isKnown(one))
    const together = mostWithin(known, guard.windowMs)
    const share = together / registered.length
    if (together <= guard.floor || share <= guard.share) return null
    const reading = `${together} of ${registered.length} machines of ${environmentId} are silent together`
    if (share >= guard.fullStopShare)
      return { rule: 'R3', ids: [machineId], detail: `to be removed at a full stop: ${reading}` }
    const most = Math.floor((registered.length + recent.length) * guard.releaseShare)
    if (recent.length < most) return null
    return { rule: 'R3', ids: [machineId], detail: `to be removed as number ${recent.length + 1}: ${reading}` }
  }

  #isKnown({ machineId, unavailableSince }: ModelMachine): boolean {
    const recordedMs = this.#recordedMs.get(machineId) ?? -Infinity
    return unavailableSince !== null && this.#scene.nowMs() - recordedMs > unknownYetMs
  }
}

/** How many at most went silent within one window. */
function mostWithin(machines: readonly ModelMachine[], windowMs: number): number {
  const since = machines.map(({ unavailableSince }) => unavailableSince!)
  const counts = since.map((from) => since.filter((at) => at >= from && at <= from + windowMs).length)
  return Math.max(0, ...counts)
}
