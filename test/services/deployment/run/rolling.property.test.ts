import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { DeploymentEvent } from '#contracts/deployment.ts'
import { run } from '#services/deployment/run/decider.ts'
import { noRun } from '#services/deployment/run/noRun.ts'
import { failed, play, succeeded, type RunPlay } from './play.ts'
import { lawsBroken } from './walk/factLaws.ts'
import { machine, TestWorld } from './world.ts'

/** Numbers choose among what may happen, so that a history that breaks a law shrinks to a short one. */
type Move = readonly [what: number, whom: number]
const moves = fc.array(fc.tuple(fc.nat(9), fc.nat(99)), { maxLength: 60 })
const amount = fc.oneof(
  fc.integer({ min: 1, max: 9 }),
  fc.integer({ min: 1, max: 99 }).map((share) => `${share}%`),
)
const settings = fc.record({
  machines: fc.integer({ min: 1, max: 9 }),
  window: amount,
  minimumHealthy: amount,
  onFailure: fc.constantFrom('fail', 'exclude'),
  attemptsMax: fc.integer({ min: 1, max: 3 }),
  canary: fc.option(fc.record({ size: amount, hold: fc.record({ forMs: fc.integer({ min: 0, max: 20_000 }) }) })),
  mode: fc.constantFrom('add', 'replace'),
  elastic: fc.boolean(),
})
const statuses = ['healthy', 'unhealthy', 'unavailable', 'degraded'] as const

describe('a rolling step', () => {
  it('keeps its window and its minimum at every event, whatever happens', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(settings, moves, ({ machines, mode, elastic, ...step }, happening) => {
        const world = new TestWorld(...Array.from({ length: machines }, (_, number) => machine(`m-${number}`)))
        const rolling = { ...step, retryAfterMs: 1_000, timeLimitMs: 600_000 }
        const find = { id: 'find', kind: 'reevaluate-targets', from: { roles: ['web'] }, mode, expect: { min: 0 } }
        const steps = [
          { id: 'a', ...rolling },
          { id: 'b', start: 'with-previous', ...rolling },
          find,
          { id: 'c', ...rolling },
        ]
        const one = play(world, steps, { elastic })
        const broken = [...brokenBy(one, 0)]
        for (const move of happening) {
          const before = one.facts.length
          happen(one, world, move)
          broken.push(...brokenBy(one, before))
        }
        expect(broken).toEqual([])
      }),
      { numRuns: 300 },
    )
  })
})

/** Each request is decided on a state that is folded from the log anew: every move is one after a crash. */
function happen(one: RunPlay, world: TestWorld, [what, whom]: Move): void {
  const ids = [...world.machines.keys()]
  const machineId = ids[whom % ids.length]!
  const task = one.state.active.toArray()[whom % Math.max(1, one.state.active.size)]
  const { stepId, attempt, machineId: worker } = one.state.tasks.get(task ?? '') ?? {}
  one.nowMs += what * 1_000
  if (what <= 4 && task !== undefined) one.end(stepId!, worker!, what === 4 ? failed() : succeeded(), attempt)
  else if (what === 5) world.change(machineId, { status: statuses[whom % 4]!, statusSince: one.nowMs })
  else if (what === 6) world.put(machine(`n-${whom}`))
  else if (what === 7) world.change(machineId, { registered: whom % 3 === 0 })
  // Another process takes over, which has just begun to listen.
  else if (what === 8) Object.assign(world, { listeningSince: one.nowMs, position: world.position + 1 })
  else if (what === 9) one.nowMs += 130_000
  one.advance()
}

function brokenBy(one: RunPlay, from: number): readonly string[] {
  let state = one.facts.slice(0, from).reduce(run.evolve, noRun)
  return one.facts.slice(from).flatMap((fact: DeploymentEvent) => {
    const laws = lawsBroken(state, fact, one.world, one.nowMs)
    state = run.evolve(state, fact)
    return laws
  })
}
