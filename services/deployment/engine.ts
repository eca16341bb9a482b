import { DeploymentEvent } from '#contracts/deployment.ts'
import type { Cause, Recorded } from '#contracts/message.ts'
import { categoryOf, deploymentStream, idOf } from '#contracts/subjects.ts'
import { isRefusal, type Decider, type Decision, type Refusal } from '#libs/decider.ts'
import { createHandler, type Handled } from '#libs/handle.ts'
import type { Platform } from '#libs/platform.ts'
import { Wakes } from '#libs/wakes.ts'
import { Fleet, type FleetEvent } from './fleet.ts'
import { createGate } from './gate.ts'
import { Groups } from './groups.ts'
import { createInterest } from './interest.ts'
import { createLeases, hasEnded } from './leases.ts'
import { lookAround } from './lookAround.ts'
import { Occupancy } from './occupancy.ts'
import { Others } from './others.ts'
import { lastOfFull, pauseAfterMs } from './pace.ts'
import { Rounds } from './rounds.ts'
import { run, type RunCommand, type RunRequest } from './run/decider.ts'
import type { Run } from './run/state.ts'
import type { World } from './run/world.ts'
import { wakeBy, type Wake } from './wake.ts'

const actor = 'service:deployment'
const fleetCategories = new Set(['machine', 'health', 'environment'])

export type Asked = Handled<DeploymentEvent> | Refusal

/**
 * Drives deployments: keeps what they may look at, asks a run what is due whenever something that concerns it has
 * happened, and looks at all of them every so often for what did not happen. The rules are the run's own; the engine
 * only knows whom to ask and when, so forgetting everything and asking again is always right.
 */
export class Engine {
  readonly fleet = new Fleet()
  readonly occupancy: Occupancy
  readonly #others = new Others()
  readonly #platform: Platform
  readonly #leases = createLeases(() => this.#platform.clock.steadyMs())
  readonly #runs
  readonly #world: World
  readonly #interest = createInterest()
  readonly #wakes = new Wakes<Wake>((deploymentId, by) => this.#advance(deploymentId, by))
  readonly #rounds: Rounds
  readonly #lastSeen = new Map<string, Wake>()
  /** By command that is being decided: what it takes. */
  readonly #claims = new Map<RunCommand, readonly DeploymentEvent[]>()
  readonly #inHand = new Map<string, RunCommand>()
  #position = 0
  #live = false
  #listeningSince: number

  constructor(platform: Platform) {
    const { store, clock } = (this.#platform = platform)
    this.occupancy = new Occupancy(createGate(this.fleet, clock))
    this.#rounds = new Rounds(clock, (ids) => this.#wakeThem(ids, null))
    this.#listeningSince = clock.steadyMs()
    const groups = new Groups(platform, (ids) => this.#wakeThem(ids, null))
    const around = { fleet: this.fleet, occupancy: this.occupancy, others: this.#others, leases: this.#leases, groups }
    this.#world = lookAround(around, { position: () => this.#position, listeningSince: () => this.#listeningSince })
    const decider: Decider<Run, RunCommand, DeploymentEvent> = { ...run, decide: (...asked) => this.#decide(...asked) }
    this.#runs = createHandler({ store, clock, decider, schema: DeploymentEvent })
  }

  /** Asks a run for something, and stores what follows. */
  async request(deploymentId: string, asked: RunRequest, cause: Cause): Promise<Asked> {
    const command = { ...asked, world: this.#world, nowMs: this.#platform.clock.steadyMs() }
    this.#inHand.set(cause.commandId, command)
    try {
      const handled = await this.#runs.handle(deploymentStream(deploymentId), command, cause)
      const last = lastOfFull(handled)
      if (last !== undefined) this.#wakes.wake(deploymentId, wakeBy(last))
      return handled
    } catch (error) {
      this.#giveBack(deploymentId, command)
      throw error
    } finally {
      this.#claims.delete(command)
      this.#inHand.delete(cause.commandId)
    }
  }

  load(deploymentId: string) {
    return this.#runs.load(deploymentStream(deploymentId))
  }

  /** Takes in the next events of the store, in order. */
  follow(events: readonly Recorded[]): void {
    for (const event of events) {
      this.#position = event.meta.position
      const category = categoryOf(event.meta.stream)
      const parentId = this.#others.follow(event)
      if (parentId !== null) this.#wakes.wake(parentId, wakeBy(event))
      if (fleetCategories.has(category)) this.#followFleet(event as Recorded<FleetEvent>)
      else if (category === 'deployment') this.#followRun(event as Recorded<DeploymentEvent>)
    }
  }

  /** A running attempt gave a sign of life. */
  renewLease(taskId: string): void {
    this.#leases.renew(taskId)
  }

  /** From here on what happens has consequences; until then the past was only learnt. */
  goLive(): void {
    this.#live = true
    this.#listeningSince = this.#platform.clock.steadyMs()
    this.#wakes.goLive()
    this.#wakeThem(this.occupancy.activeIds(), null)
  }

  /**
   * Looks at deployments for what time alone brings: at once at all whose tasks have been silent for too long, and by
   * and by at the others.
   */
  sweep(): void {
    this.#wakeThem(this.#leases.overdue(), null)
    void this.#rounds.begin(this.occupancy.activeIds())
  }

  /** We could not hear anybody for a while, so nobody is late because of it. */
  wasDeafFor(gapMs: number): void {
    this.#listeningSince = this.#platform.clock.steadyMs()
    this.#leases.extendAll(gapMs)
  }

  /** Starts nothing more, and waits for what is being decided. */
  async rest(): Promise<void> {
    this.#live = false
    this.#rounds.stop()
    await this.#wakes.rest()
  }

  /** What a decision takes is taken before anyone else can decide. */
  #decide(command: RunCommand, state: Run): Decision<DeploymentEvent> {
    const deploymentId = command.type === 'Create' ? command.data.deploymentId : state.created?.deploymentId
    // A decision that lost a race is made again with newer facts: what the first one took is not taken.
    if (deploymentId !== undefined) this.#giveBack(deploymentId, command)
    const isNew = command.type === 'Create' && state.created === null
    if (isNew) this.occupancy.enter(command.data, command.data.machineIds === null)
    try {
      const decision = run.decide(command, state)
      if (isRefusal(decision)) return decision
      this.#claims.set(command, decision)
      this.occupancy.claim(decision)
      return decision
    } catch (error) {
      if (isNew) this.#wakeThem(this.occupancy.leave(command.data.deploymentId), null)
      throw error
    }
  }

  #giveBack(deploymentId: string, command: RunCommand): void {
    const facts = this.#claims.get(command)
    if (facts !== undefined) this.#wakeThem(this.occupancy.giveBack(deploymentId, facts), null)
  }

  #wakeThem(deploymentIds: Iterable<string>, by: Wake | null): void {
    for (const id of deploymentIds) this.#wakes.wake(id, by)
  }

  async #advance(deploymentId: string, by: Wake | null): Promise<void> {
    const wake = by ?? this.#lastSeen.get(deploymentId)
    if (wake === undefined || !this.occupancy.isActive(deploymentId)) return
    const { clock, log } = this.#platform
    try {
      const asked = await this.request(deploymentId, { type: 'Advance' }, { actor, commandId: clock.id(), ...wake })
      const pauseMs = pauseAfterMs(asked)
      if (pauseMs > 0) await clock.sleep(pauseMs)
    } catch (error) {
      log.error({ error, deploymentId }, 'a deployment could not be advanced and will be looked at again')
    }
  }

  #followFleet(event: Recorded<FleetEvent>): void {
    const before = 'machineId' in event.data ? this.fleet.machine(event.data.machineId)?.environmentId : undefined
    this.fleet.apply(event)
    if ('machineId' in event.data) this.#wakeConcerned(event.data.machineId, event, before)
  }

  #wakeConcerned(machineId: string, event: Recorded, before?: string): void {
    const environmentId = this.fleet.machine(machineId)?.environmentId ?? before
    if (this.#live) this.#wakeThem(this.#interest.concernedBy(machineId, environmentId), wakeBy(event))
  }

  #followRun(event: Recorded<DeploymentEvent>): void {
    const [deploymentId, wake] = [idOf(event.meta.stream), wakeBy(event)]
    // What is stored is taken for good, also when the store says afterwards that it failed.
    const command = this.#inHand.get(event.meta.commandId)
    if (command !== undefined) this.#claims.delete(command)
    this.#interest.apply(event)
    this.#leases.apply(event)
    this.#wakeThem(this.occupancy.follow(event), wake)
    const machineId = this.fleet.follow(event)
    if (machineId !== null) this.#wakeConcerned(machineId, event)
    if (hasEnded(event)) this.#lastSeen.delete(deploymentId)
    else this.#lastSeen.set(deploymentId, wake)
    // Of a large run only the report was recorded; what follows from it is looked for now, once for many reports.
    if (event.type === 'TaskSucceeded' || event.type === 'TaskFailed') this.#wakes.wake(deploymentId, wake)
  }
}
