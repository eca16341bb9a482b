import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { DeploymentEvent } from '#contracts/deployment.ts'
import { run } from '#services/deployment/run/decider.ts'
import { noRun } from '#services/deployment/run/noRun.ts'
import type { RunTask } from '#services/deployment/run/state.ts'
import { failed, succeeded, type RunPlay } from '../play.ts'
import { lawsBroken } from '../walk/factLaws.ts'
import { machine, type TestWorld } from '../world.ts'
import { oldOnes, swap, swapSteps, swapWorld, workerId } from './swapping.ts'

/** Numbers choose among what may happen, so that a history that breaks a law shrinks to a short one. */
type Move = readonly [what: number, whom: number]
const moves = fc.array(fc.tuple(fc.nat(19), fc.nat(99)), { maxLength: 30 })
const settings = fc.record({
  attemptsMax: fc.integer({ min: 1, max: 3 }),
  minimumServing: fc.constantFrom('1', '50%', '100%'),
  keep: fc.integer({ min: 0, max: 1 }),
  /** How far all goes well before anything may happen. */
  well: fc.integer({ min: 0, max: 9 }),
})

/**
 * A load balancer and a cloud, which believe their scripts alone: whatever a script does it may do at any time between
 * being handed out and ending, also in part, and also when it fails or is lost.
 */
class Outside {
  readonly attached = new Set<string>(oldOnes)
  readonly exists = new Set<string>(oldOnes)
  /** What was destroyed while requests went to it, and when too little was left. */
  readonly wronged: string[] = []
  readonly one: RunPlay
  readonly world: TestWorld
  #alive: readonly string[] = []
  readonly #minimum: number
  #seen = -1

  constructor(one: RunPlay, world: TestWorld, minimum: number) {
    this.#minimum = minimum
    this.one = one
    this.world = world
  }

  /** Notes who is well when a step begins: whoever dies after that is nobody's fault. */
  look(): void {
    const seen = this.one.facts.findLastIndex(({ type }) => type === 'EffectBegun')
    if (seen !== this.#seen) this.#alive = [...this.world.machines.keys()].filter((id) => this.isWell(id))
    this.#seen = seen
  }

  isWell(machineId: string): boolean {
    const { registered, enabled, status } = this.world.machines.get(machineId) ?? {}
    return this.exists.has(machineId) && registered === true && enabled === true && status === 'healthy'
  }

  /** @param part how many of its machines the script gets to */
  play(task: RunTask, part: number): Record<string, string> {
    const serving = () => this.#alive.filter((id) => this.attached.has(id)).length
    const before = serving()
    const outputs = this.#act(task, part)
    if (serving() < Math.min(this.#minimum, before)) this.wronged.push(`${before} served, now ${serving()}`)
    return outputs
  }

  #act({ stepId }: RunTask, part: number): Record<string, string> {
    const begun = this.one.of('EffectBegun').findLast(({ data }) => data.stepId === stepId)?.data
    if (begun === undefined) return {}
    if (begun.does === 'create') return this.create(part)
    for (const { name } of begun.machines.slice(0, part)) {
      if (begun.does === 'attach') this.attached.add(name)
      else if (begun.does === 'destroy') this.destroy(name)
      else this.attached.delete(name)
    }
    return {}
  }

  create(part: number): Record<string, string> {
    const made = ['new-1', 'new-2'].slice(0, part)
    for (const id of made) {
      this.exists.add(id)
      if (!this.world.machines.has(id)) this.world.put(machine(id))
    }
    return made.length === 0 ? {} : { machines: made.join() }
  }

  destroy(name: string): void {
    if (this.attached.has(name) && this.isWell(name)) this.wronged.push(name)
    this.exists.delete(name)
    this.attached.delete(name)
    this.world.change(name, { registered: false })
  }
}

const statuses = ['healthy', 'healthy', 'unavailable', 'unhealthy'] as const

function happen(one: RunPlay, world: TestWorld, outside: Outside, [what, whom]: Move): void {
  const taskId = one.state.active.toArray()[whom % Math.max(1, one.state.active.size)]
  const task = one.state.tasks.get(taskId ?? '')
  const ids = [...world.machines.keys()].filter((id) => id !== workerId)
  const machineId = ids[whom % ids.length]!
  one.nowMs += what * 1_000
  if (what <= 11) {
    // Most of all things go on as they should, so that histories get far.
    if (task === undefined) one.decide('approve')
    else end(one, outside, task, what < 10, whom)
  } else if (what === 12) {
    const status = statuses[whom % 4]!
    if (outside.exists.has(machineId)) world.change(machineId, { status, statusSince: one.nowMs })
  } else if (what === 13 && task?.machineId === workerId) {
    // The worker is not heard of any more, in the middle of what it does.
    outside.play(task, whom % 3)
    world.expired.add(task.taskId)
  } else if (what === 14 && whom % 4 === 0) one.decide('reject')
  else if (what === 15 && whom % 4 === 0) one.cancel()
  else if (what === 16) one.nowMs += 130_000
  else if (what === 17) Object.assign(world, { listeningSince: one.nowMs, position: world.position + 1 })
  else if (what === 18 && whom % 3 === 0) world.change(machineId, { registered: false })
  one.advance()
}

function end(one: RunPlay, outside: Outside, task: RunTask, isWell: boolean, whom: number): void {
  const outputs = task.machineId === workerId ? outside.play(task, isWell ? 99 : whom % 3) : {}
  const result = isWell ? succeeded(outputs) : { ...failed(), ...(whom % 2 === 0 && { outputs }) }
  one.end(task.stepId, task.machineId, result, task.attempt)
}

function brokenBy(one: RunPlay, from: number): readonly string[] {
  let state = one.facts.slice(0, from).reduce(run.evolve, noRun)
  return one.facts.slice(from).flatMap((fact: DeploymentEvent) => {
    const laws = lawsBroken(state, fact, one.world, one.nowMs)
    state = run.evolve(state, fact)
    return laws
  })
}

describe('during a swap, whatever machines, scripts and people do (R9)', () => {
  it(
    'what serves never falls below the minimum by what the run does, and is never destroyed',
    { timeout: 60_000 },
    () => {
      fc.assert(
        fc.property(settings, moves, ({ attemptsMax, minimumServing, keep, well }, happening) => {
          const world = swapWorld()
          const steps = swapSteps.map((step) => ({
            ...step,
            ...(step.id === 'ask' || step.id === 'retarget'
              ? {}
              : { attemptsMax, retryAfterMs: 1_000, repeatable: true }),
            ...(step.id === 'detach' && {
              effect: { ...step.effect, minimumServing: minimumServing === '1' ? 1 : minimumServing },
            }),
            ...(step.id === 'destroy' && { effect: { ...step.effect, keep } }),
          }))
          const one = swap(world, steps)
          const minimum = minimumServing === '100%' ? 2 : 1
          const outside = new Outside(one, world, minimum)
          const broken: string[] = []
          const goesWell = Array.from({ length: well }, (): Move => [0, 0])
          for (const move of [...goesWell, ...happening]) {
            const before = one.facts.length
            happen(one, world, outside, move)
            outside.look()
            broken.push(...brokenBy(one, before))
          }
          for (let hop = 0; hop < 40 && one.state.status !== 'ended'; hop++) one.advance(400_000)
          expect([...broken, ...outside.wronged]).toEqual([])
          expect(one.state.status).toBe('ended')
          expect(one.of('MachinesCreated').length === 0 || 'leftBehind' in one.facts.at(-1)!.data).toBe(true)
        }),
        {
          numRuns: 500,
          examples: [
            [
              { attemptsMax: 1, minimumServing: '100%', keep: 0, well: 3 },
              [
                [0, 0],
                [0, 0],
                [10, 0],
                [18, 0],
                [0, 0],
                [0, 0],
              ],
            ],
          ],
        },
      )
    },
  )
})
