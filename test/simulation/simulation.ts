import { join } from 'node:path'
import { workerRole } from '#contracts/eligibility.ts'
import { makeToken } from '#libs/auth.ts'
import { createMemoryDisk } from '#libs/store/memoryDisk.ts'
import { createVirtualClock } from '#test/support/virtualClock.ts'
import { ServerChaos } from './chaos.ts'
import { Context, seedOf } from './context.ts'
import type { Defect } from './defects.ts'
import { Machine } from './machine.ts'
import type { AnyEvent } from './events.ts'
import { Model } from './model.ts'
import { Office } from './office.ts'
import { Operators } from './operators.ts'
import { profileOf, type Profile } from './profile.ts'
import { firstOf, LogRules } from './rules/log.ts'
import { RemovalRules } from './rules/removals.ts'
import { checkAtRest } from './rules/rest.ts'
import type { Breach, Scene } from './rules/rule.ts'
import { RunRules } from './rules/runs.ts'
import { TaskRules } from './rules/tasks.ts'
import { Server } from './server.ts'
import { Trace } from './trace.ts'
import { Truth } from './truth.ts'
import { Yard, type Home } from './yard.ts'

const hourMs = 3_600_000
const staticShare = 0.25
const homes: readonly Home[] = ['elastic', 'static', 'workers']
/** The last part of the day, in which nothing goes wrong any more and nothing more is asked for. */
const calmShare = 0.9

export interface SimulationOptions {
  readonly seed: number
  readonly machines: number
  readonly hours: number
  /** A folder for the read model. */
  readonly folder: string
  readonly defect?: Defect | undefined
}

/** A whole control plane, its machines, its people and everything that befalls them, in one thread and in virtual time. */
export class Simulation {
  readonly options: SimulationOptions
  readonly profile: Profile
  readonly world
  readonly stage: Context
  readonly disk = createMemoryDisk()
  readonly model = new Model()
  readonly truth: Truth
  readonly trace: Trace
  readonly server: Server
  readonly chaos: ServerChaos
  readonly office: Office
  readonly operators: Operators
  readonly yard: Yard
  readonly scene: Scene
  readonly #checks: readonly ((event: AnyEvent) => Breach | null)[]
  readonly #logRules = new LogRules()
  readonly #tokens = new Map<string, ReturnType<typeof makeToken>>()
  /** What befell whom, and when. */
  readonly diary: { readonly atMs: number; readonly what: string }[] = []
  readonly #note = (what: string) => void this.diary.push({ atMs: this.world.steadyMs(), what })
  #faultsAreOn = true
  breach: Breach | null = null

  constructor(options: SimulationOptions) {
    const { seed } = options
    this.options = options
    this.profile = profileOf(seed)
    this.world = createVirtualClock({ seed })
    this.stage = new Context(this.world, 'stage', seedOf(seed, 'stage'))
    const nowMs = () => this.world.steadyMs()
    this.truth = new Truth(nowMs)
    this.trace = new Trace(this.disk, nowMs, (events) => this.#look(events))
    this.server = this.#makeServer()
    this.office = new Office(this.stage, this.server, () => this.disk.events.length)
    const { stage, profile, office, model, server, truth, trace } = this
    const onNextAppend = (act: () => void) => trace.onNextAppend(act)
    this.operators = new Operators({ stage, profile, office, model })
    const onNextAnswer = (act: () => void) => office.onNextAnswer(act)
    const chaos = { stage, server, truth, profile, onNextAppend, onNextAnswer, note: this.#note }
    this.chaos = new ServerChaos({ ...chaos, machines: () => this.yard.machines })
    for (const environmentId of homes) this.#tokens.set(environmentId, makeToken(stage.clock, 'join', environmentId))
    this.yard = this.#makeYard()
    const lateMs = (environmentId: string) => this.#lateMs(environmentId)
    this.scene = { disk: this.disk, model, truth, book: office.book, nowMs, lateMs }
    const rules = [new RemovalRules(this.scene), new TaskRules(this.scene), new RunRules()]
    this.#checks = rules.map((rule) => (event) => rule.check(event))
  }

  /** Runs until the condition holds, something is wrong, or so much time has passed; false in the last case. */
  async until(condition: () => boolean, limitMs: number): Promise<boolean> {
    return this.world.run(() => this.breach !== null || condition(), limitMs)
  }

  /** No faults of the bus any more, from the next start of the server on. */
  endFaults(): void {
    this.#faultsAreOn = false
  }

  get joinTokens() {
    return [...this.#tokens].map(([environmentId, { publicId, secretHash }]) => ({
      environmentId,
      enrollmentId: publicId,
      secretHash,
    }))
  }

  get calmAfterMs(): number {
    return this.options.hours * hourMs * calmShare
  }

  /** Finds what does not hold although everything is at rest. */
  checkAtRest(): Breach | null {
    return (this.breach ??= checkAtRest(this.scene) ?? this.#checkReturns())
  }

  fail(breach: Breach): void {
    this.breach ??= breach
  }

  #look(events: readonly AnyEvent[]): void {
    if (this.breach) return
    this.breach = this.#logRules.check(events)
    for (const event of events) {
      this.breach ??= firstOf(this.#checks, (check) => check(event))
      this.model.apply(event)
    }
  }

  #makeServer(): Server {
    const { seed, defect, folder } = this.options
    return new Server({
      ...{ world: this.world, disk: this.disk, seed, readModelFile: join(folder, 'model.db') },
      busFaults: () => (this.#faultsAreOn ? this.profile.bus : {}),
      storeFaults: () => (this.#faultsAreOn ? this.profile.store : null),
      tamper: defect?.server ?? ((platform) => platform),
      onTrouble: (what, storeFails) => this.#inTrouble(what, storeFails),
    })
  }

  #inTrouble(what: string, storeFails: boolean): void {
    if (!storeFails) return this.fail({ rule: 'the server runs', ids: ['server'], detail: what })
    this.#note(`the server is in trouble: ${what}`)
    this.chaos.revive()
  }

  #makeYard(): Yard {
    const { world, stage, server, truth, profile } = this
    const { seed, machines, defect } = this.options
    const fixed = Math.round(machines * staticShare)
    const make = (environmentId: Home, zone: string, count: number) =>
      new Machine({
        roles: [environmentId === 'workers' ? workerRole : 'web'],
        ...{ world, stage, server, truth, seed, zone },
        name: `${environmentId}-${count}`,
        token: this.#tokens.get(environmentId)!.token,
        tamper: defect?.files ?? ((files) => files),
        onTrouble: (what) => this.fail({ rule: 'the agent runs', ids: [], detail: what }),
      })
    return new Yard({ stage, profile, elastic: machines - fixed, fixed, make, note: this.#note })
  }

  /** How late signs of life may be: on the road, in batches, and with some of them lost. */
  #lateMs(environmentId: string): number {
    const { lose = 0, delay = 0, delayMaxMs = 0 } = this.profile.bus
    const heartbeatEveryMs = this.model.fleet.policies.get(environmentId)?.health.heartbeatEveryMs ?? 0
    return 6_000 + (delay > 0 ? delayMaxMs : 0) + (lose > 0 ? 5 * heartbeatEveryMs : 0)
  }

  /** Every machine that lives is registered and well, or was taken out by somebody who meant it. */
  #checkReturns(): Breach | null {
    return firstOf(this.yard.living, ({ name, machineId }) => {
      const known = this.model.fleet.machines.get(machineId)
      if (!known) return { rule: 'R4', ids: [name], detail: 'it lives and was never registered' }
      const { registered, enabled, status, removal } = known
      if (registered && (!enabled || status === 'healthy')) return null
      if (!registered && (removal?.kind === 'person' || removal?.kind === 'deployment')) return null
      const state = registered ? status : `removed (${removal?.kind}: ${removal?.reason})`
      return { rule: 'R4', ids: [name, machineId], detail: `it lives and is ${state}` }
    })
  }
}
