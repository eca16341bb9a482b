import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createAsk } from '#libs/ask.ts'
import { createMemoryBus } from '#libs/bus/memory.ts'
import type { Platform } from '#libs/platform.ts'
import { startRelay } from '#libs/relay.ts'
import { startDeployment } from '#services/deployment/service.ts'
import { failure, success } from './deploying.ts'
import { LogJudge } from './logJudge.ts'
import { Stage } from './stage.ts'

const runs = Number(process.env['REMUDA_TAKE_OVER_RUNS'] ?? 40)
const minuteMs = 60_000
const machines = ['m-1', 'm-2', 'm-3', 'm-4']
const projects = ['shop', 'search']
const timeLimitMs = 20 * minuteMs
const waitsMax = 12

const amount = fc.constantFrom<number | string>(1, 2, '50%', '100%')
const rolling = fc.record({
  window: amount,
  minimumHealthy: fc.constantFrom(null, 1, 2, '50%'),
  onFailure: fc.constantFrom('fail', 'exclude'),
  attemptsMax: fc.integer({ min: 1, max: 3 }),
})
const settings = fc.record({
  first: rolling,
  second: rolling,
  isElastic: fc.boolean(),
  mode: fc.constantFrom('add', 'replace'),
})
const move = fc.record({
  what: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom('result' as const, 'round' as const) },
    { weight: 2, arbitrary: fc.constantFrom('take over' as const, 'let go' as const) },
    { weight: 3, arbitrary: fc.constantFrom('failure' as const, 'time' as const, 'away' as const, 'back' as const) },
    {
      weight: 2,
      arbitrary: fc.constantFrom('deploy' as const, 'cancel' as const, 'wait' as const, 'newcomer' as const),
    },
  ),
  whom: fc.nat(99),
})
type Drawn = typeof settings extends fc.Arbitrary<infer Value> ? Value : never
type Move = typeof move extends fc.Arbitrary<infer Drawn> ? Drawn : never

/** One of several processes that run deployments, of which the latest has the fence; the others have not noticed yet. */
interface Life {
  readonly platform: Platform
  readonly service: AsyncDisposable
}

class Succession {
  readonly stage = new Stage()
  readonly lives: Life[] = []
  readonly #ids: string[] = []
  #newcomers = 0
  readonly #isFenced: boolean
  #relay: AsyncDisposable | null = null

  constructor(isFenced: boolean) {
    this.#isFenced = isFenced
  }

  /** Another process takes over, while the one before may go on for a while. */
  async takeOver(): Promise<void> {
    const { clock, log, store } = this.stage
    const token = await store.raiseFence('deployment')
    const bus = createMemoryBus({ clock, log })
    const platform = {
      store: this.#isFenced ? store.fenced('deployment', token) : store,
      bus,
      clock,
      log,
      ask: createAsk(bus, { timeoutMs: 5_000 }),
    }
    // Only the latest hears at once of what is stored; the one before has been cut off, and looks into the store at times.
    await this.#relay?.[Symbol.asyncDispose]()
    this.#relay = startRelay(platform)
    this.lives.push({ platform, service: await startDeployment(platform, { sweepMs: 5_000 }) })
    await clock.settle()
  }

  async letGo(): Promise<void> {
    const old = this.lives.shift()!
    await Promise.all([old.service[Symbol.asyncDispose](), this.stage.clock.advance(10)])
  }

  /** Asks one of them; who has no fence any more stores nothing, and nobody is told. */
  async ask(whom: number, type: string, data: object): Promise<void> {
    const { platform } = this.lives[whom % this.lives.length]!
    platform.ask('deployment', { type, data }, this.stage.cause()).catch(() => null)
    await this.stage.clock.settle()
  }

  async happen({ what, whom }: Move): Promise<void> {
    const { stage, lives } = this
    const machineId = machines[whom % machines.length]!
    const open = await this.#open()
    const task = open[whom % Math.max(1, open.length)]
    if (what === 'result' || what === 'failure') {
      const result = what === 'result' ? success : failure
      if (task !== undefined) await this.ask(whom, 'RecordTaskResult', { ...task, result })
    } else if (what === 'round') {
      for (const each of open) await this.ask(whom, 'RecordTaskResult', { ...each, result: success })
    } else if (what === 'deploy') {
      const deploymentId = stage.clock.id()
      this.#ids.push(deploymentId)
      const about = { projectId: projects[whom % projects.length], version: '1.0', environmentId: 'production' }
      await this.ask(whom, 'CreateDeployment', { deploymentId, ...about, kind: 'release', machineIds: null })
    } else if (what === 'cancel' && this.#ids.length > 0)
      await this.ask(whom, 'CancelDeployment', { deploymentId: this.#ids[whom % this.#ids.length], reason: 'enough' })
    else if (what === 'time') await stage.clock.advance(1_000 + whom * 100)
    else if (what === 'wait') await stage.clock.advance(130_000)
    else if (what === 'away') await stage.unavailable(machineId)
    else if (what === 'back') await stage.healthy(machineId)
    else if (what === 'newcomer') await stage.machine(`n-${(this.#newcomers += 1)}`)
    else if (what === 'take over') await this.takeOver()
    else if (what === 'let go' && lives.length > 1) await this.letGo()
  }

  /** What was handed out and is not known to have ended, as its machines would tell of it. */
  async #open() {
    const all = await this.stage.of('TaskDispatched', 'TaskSucceeded', 'TaskFailed', 'TaskLost')
    const open = new Map<string, { deploymentId: string; taskId: string; machineId: string }>()
    for (const { type, data } of all) {
      const { deploymentId, taskId, machineId } = data as { deploymentId: string; taskId: string; machineId: string }
      if (type === 'TaskDispatched') open.set(taskId, { deploymentId, taskId, machineId })
      else open.delete(taskId)
    }
    return [...open.values()]
  }
}

async function begin({ first, second, isElastic, mode }: Drawn, isFenced: boolean) {
  const succession = new Succession(isFenced)
  const { stage } = succession
  await stage.environment('production', {
    dynamicRegistration: { enabled: isElastic },
    deployments: { queueMax: 10 },
  })
  for (const machineId of machines) await stage.machine(machineId)
  await succession.takeOver()
  const part = { kind: 'script', script: 'true', retryAfterMs: 1_000, timeLimitMs: 5 * minuteMs }
  const steps = [
    { ...part, id: 'install', ...first },
    { ...part, id: 'beside', start: 'with-previous', window: 1 },
    { id: 'find', kind: 'reevaluate-targets', from: { roles: ['web'] }, mode, expect: { min: 0, withinMs: minuteMs } },
    { ...part, id: 'switch', ...second },
  ]
  for (const projectId of projects) {
    await succession.ask(0, 'CreateProject', { projectId, name: projectId })
    await succession.ask(0, 'ChangeProcess', { projectId, process: { steps, timeLimitMs }, expectedVersion: null })
    await succession.ask(0, 'CreateRelease', { projectId, version: '1.0', notes: '' })
  }
  await succession.happen({ what: 'deploy', whom: 0 })
  return succession
}

/** Plays a history and lets all deployments end. Answers what did not hold. */
async function breachesIn(drawn: Drawn, moves: readonly Move[], isFenced: boolean): Promise<readonly string[]> {
  const succession = await begin(drawn, isFenced)
  const { stage } = succession
  const judge = new LogJudge()
  const judged = async () => {
    for (const event of await stage.store.readAll(judge.position, 10_000)) judge.see(event, stage.clock.steadyMs())
  }
  await judged()
  for (const one of moves) {
    await succession.happen(one)
    await judged()
  }
  await succession.takeOver()
  while (succession.lives.length > 1) await succession.letGo()
  for (let waits = 0; waits < waitsMax && judge.open.length > 0; waits++) {
    await stage.clock.advance(timeLimitMs)
    await judged()
  }
  await Promise.all([succession.lives[0]!.service[Symbol.asyncDispose](), stage.clock.advance(10_000)])
  return [...judge.breaches, ...judge.open.map((id) => `${id} does not end`)]
}

const histories = fc.array(move, { minLength: 10, maxLength: 40 })

describe('deployments that another process takes over at any moment', () => {
  it('keep windows, minimums and machines, begin nothing twice, and end', { timeout: 120_000 }, () =>
    fc.assert(
      fc.asyncProperty(settings, histories, async (drawn, moves) => {
        expect(await breachesIn(drawn, moves, true)).toEqual([])
      }),
      { numRuns: runs },
    ),
  )

  it('would not, if the one before could go on', { timeout: 120_000 }, async () => {
    const law = 'one task at a time on a machine'
    const unfenced = fc.asyncProperty(settings, histories, async (drawn, moves) => {
      const breaches = await breachesIn(drawn, moves, false)
      return !breaches.some((breach) => breach.startsWith(law))
    })
    expect(await fc.check(unfenced, { numRuns: 300, seed: 1, endOnFailure: true })).toMatchObject({ failed: true })
  })
})
