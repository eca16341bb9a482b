import { statusAfter } from '#contracts/health.ts'
import { reactTo, type AnyEvent, type EventOf } from '#test/simulation/events.ts'

const wellStatuses = ['healthy', 'degraded']

/** Reads the log of one rolling deployment from its beginning, and notes wherever a rule was broken. */
export class RolloutAudit {
  readonly broken: string[] = []
  readonly targets = new Set<string>()
  readonly dispatched = new Map<string, number>()
  outcomes: EventOf<'DeploymentSucceeded'>['data']['outcomes'] = []
  mostActive = 0
  #minimum = 0
  readonly #windowShare: number
  readonly #included = new Set<string>()
  readonly #status = new Map<string, string>()
  readonly #active = new Set<string>()
  readonly #ended = new Map<string, number>()
  /** Those on which the step has failed, unless it is being tried again. */
  readonly #spoilt = new Set<string>()

  constructor(log: readonly AnyEvent[], windowShare: number) {
    this.#windowShare = windowShare
    for (const event of log) this.#follow(event)
    for (const machineId of this.#active) this.broken.push(`${machineId} is still at work in the end`)
    const told = new Set(this.outcomes.map(({ machineId }) => machineId))
    for (const machineId of this.targets) if (!told.has(machineId)) this.broken.push(`${machineId} has no outcome`)
    for (const [machineId, times] of this.dispatched)
      if (this.#ended.get(machineId) !== times) this.broken.push(`${machineId} has attempts that have not ended once`)
  }

  get serving(): number {
    return [...this.#included].filter((machineId) => this.#serves(machineId)).length
  }

  get minimum(): number {
    return this.#minimum
  }

  #follow(event: AnyEvent): void {
    if (event.type in statusAfter && 'machineId' in event.data)
      this.#status.set(event.data.machineId, statusAfter[event.type as keyof typeof statusAfter])
    const over = ({ data: { outcomes } }: EventOf<'DeploymentSucceeded' | 'DeploymentFailed'>) =>
      void (this.outcomes = outcomes)
    reactTo(
      {
        TargetsEvaluated: ({ data }) => data.included.forEach(({ machineId }) => this.#include(machineId)),
        StepStarted: ({ data }) => void (this.#minimum = data.minimumHealthy ?? 0),
        TargetExcluded: ({ data }) => void this.#included.delete(data.machineId),
        MachineDeregistered: ({ data }) => void this.#status.delete(data.machineId),
        TaskDispatched: ({ data }) => this.#begin(data.machineId),
        TaskSucceeded: ({ data }) => this.#end(data.machineId, false),
        TaskFailed: ({ data }) => this.#end(data.machineId, true),
        TaskLost: ({ data }) => this.#end(data.machineId, true),
        DeploymentSucceeded: over,
        DeploymentFailed: over,
      },
      event,
    )
  }

  #include(machineId: string): void {
    this.targets.add(machineId)
    this.#included.add(machineId)
  }

  #serves(machineId: string): boolean {
    const isWell = wellStatuses.includes(this.#status.get(machineId) ?? '')
    return isWell && !this.#active.has(machineId) && !this.#spoilt.has(machineId)
  }

  #begin(machineId: string): void {
    const served = this.#serves(machineId)
    if (!this.#included.has(machineId)) this.broken.push(`${machineId} got work after it was left out`)
    if (this.#active.has(machineId)) this.broken.push(`${machineId} got work while it was at work`)
    this.#active.add(machineId)
    this.dispatched.set(machineId, (this.dispatched.get(machineId) ?? 0) + 1)
    this.mostActive = Math.max(this.mostActive, this.#active.size)
    const room = Math.max(1, Math.ceil(this.#included.size * this.#windowShare))
    if (this.#active.size > room) this.broken.push(`${this.#active.size} at work in a window of ${room}`)
    if (served && this.serving < this.#minimum)
      this.broken.push(`${this.serving} are left that serve, of at least ${this.#minimum}`)
  }

  #end(machineId: string, isBad: boolean): void {
    this.#active.delete(machineId)
    this.#ended.set(machineId, (this.#ended.get(machineId) ?? 0) + 1)
    if (isBad) this.#spoilt.add(machineId)
    else this.#spoilt.delete(machineId)
  }
}
