import type { Recorded } from '#contracts/message.ts'
import type { PolicyEvent } from '#contracts/policy.ts'
import { endedFor, type Ending } from './endings.ts'
import { installKey } from './state.ts'
import type { Ended } from './world.ts'

export type Requested = Recorded<Extract<PolicyEvent, { type: 'AutomaticDeploymentRequested' }>>
type Done = Extract<PolicyEvent, { type: 'AutomaticDeploymentSettled' | 'AutomaticDeploymentAbandoned' }>

/** The automatic deployments that policy has asked for: which nobody has made yet, and which have ended. */
export class AskedDeployments {
  readonly #asked = new Map<string, Requested>()
  readonly #missing = new Map<string, Map<string, number | null>>()
  readonly #ended = new Map<string, Map<string, Ended>>()
  readonly #underWay = new Map<string, string>()

  ended(environmentId: string): Iterable<Ended> {
    return this.#ended.get(environmentId)?.values() ?? []
  }

  /** The deployment that was asked for, if nobody has made it yet. */
  unmade(deploymentId: string): Requested | undefined {
    const asked = this.#asked.get(deploymentId)
    return asked && this.#missing.get(asked.data.environmentId)?.has(deploymentId) ? asked : undefined
  }

  allUnmade(): readonly string[] {
    return [...this.#missing.values()].flatMap((missing) => [...missing.keys()])
  }

  *missing(environmentId: string, nowMs: number) {
    const missing = this.#missing.get(environmentId) ?? new Map<string, number | null>()
    for (const [deploymentId, known] of missing) {
      if (known === null) missing.set(deploymentId, nowMs)
      yield { deploymentId, forMs: nowMs - (known ?? nowMs) }
    }
  }

  /** Whether nothing of the environment waits to be settled or made. */
  isCalm(environmentId: string): boolean {
    return sizeOf(this.#missing, environmentId) === 0 && sizeOf(this.#ended, environmentId) === 0
  }

  /** Whether the machine is being brought to a release of the project already. */
  isUnderWay(machineId: string, projectId: string): boolean {
    return this.#underWay.has(installKey(machineId, projectId))
  }

  /** @returns the machines that are under way from now on, or are so no more */
  apply(event: Requested | Done): readonly string[] {
    return event.type === 'AutomaticDeploymentRequested' ? this.#ask(event) : this.#forget(event.data)
  }

  #ask(event: Requested): readonly string[] {
    const { deploymentId, environmentId, projectId, machineIds } = event.data
    this.#asked.set(deploymentId, event)
    put(this.#missing, environmentId, deploymentId, null)
    for (const machineId of machineIds) this.#underWay.set(installKey(machineId, projectId), deploymentId)
    return machineIds
  }

  #forget({ deploymentId, environmentId }: Done['data']): readonly string[] {
    const { projectId = '', machineIds = [] } = this.#asked.get(deploymentId)?.data ?? {}
    this.#asked.delete(deploymentId)
    this.#missing.get(environmentId)?.delete(deploymentId)
    this.#ended.get(environmentId)?.delete(deploymentId)
    for (const machineId of machineIds) this.#underWay.delete(installKey(machineId, projectId))
    return machineIds
  }

  deploymentCreated(deploymentId: string): void {
    const asked = this.#asked.get(deploymentId)
    if (asked !== undefined) this.#missing.get(asked.data.environmentId)?.delete(deploymentId)
  }

  deploymentEnded(event: Ending): void {
    const { deploymentId } = event.data
    const asked = this.#asked.get(deploymentId)?.data
    if (asked === undefined) return
    put(this.#ended, asked.environmentId, deploymentId, endedFor(asked.machineIds, event))
  }
}

function put<Value>(index: Map<string, Map<string, Value>>, group: string, key: string, value: Value): void {
  const known = index.get(group)
  if (known === undefined) index.set(group, new Map([[key, value]]))
  else known.set(key, value)
}

const sizeOf = (index: ReadonlyMap<string, ReadonlyMap<string, unknown>>, group: string): number =>
  index.get(group)?.size ?? 0
