import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { StepOf } from '#contracts/process.ts'
import { attemptLimitMs } from '#services/deployment/run/attempts.ts'
import type { Run } from '#services/deployment/run/state.ts'
import { failed, play, succeeded, type RunPlay } from './play.ts'
import { machine, startMs, TestWorld } from './world.ts'

const minuteMs = 60_000
const contactBudgetMs = 120_000
const taskLeaseMs = 120_000
const cancelGraceMs = 30_000
/** A run is looked at so often for what time alone brings. */
const lookMs = 10_000

const tried = fc.record({
  attemptsMax: fc.integer({ min: 1, max: 6 }),
  retryAfterMs: fc.integer({ min: 0, max: 30_000 }),
  retryFactor: fc.constantFrom(1, 2, 10),
  timeLimitMs: fc.integer({ min: 31_000, max: 5 * minuteMs }),
  attemptTimeLimitMs: fc.option(fc.integer({ min: 1_000, max: 2 * minuteMs }), { nil: undefined }),
  repeatable: fc.boolean(),
  onFailure: fc.constantFrom('fail', 'exclude', 'ask'),
  askWithinMs: fc.integer({ min: 1_000, max: 10 * minuteMs }),
})
const rolling = fc.record({
  window: fc.constantFrom<number | string>(1, 2, '50%', '100%'),
  minimumHealthy: fc.constantFrom(null, 1, '50%'),
  canary: fc.option(
    fc.record({
      size: fc.constantFrom<number | string>(1, '50%'),
      hold: fc.oneof(
        fc.record({ forMs: fc.integer({ min: 0, max: 5 * minuteMs }) }),
        fc.record({ approval: fc.constant('go on?'), withinMs: fc.integer({ min: 1_000, max: 10 * minuteMs }) }),
      ),
    }),
  ),
  start: fc.constantFrom('after-previous', 'with-previous'),
  condition: fc.constantFrom('success', 'success', 'failure', 'always'),
})
const limits = fc.record({
  timeLimitMs: fc.integer({ min: 30_000, max: 30 * minuteMs }),
  elastic: fc.boolean(),
  machines: fc.integer({ min: 1, max: 5 }),
})
const moves = fc.array(fc.tuple(fc.nat(9), fc.nat(99)), { maxLength: 30 })
const statuses = ['healthy', 'unhealthy', 'unavailable', 'degraded', 'unknown'] as const
const reasons = ['exit-code', 'interrupted', 'could-not-start'] as const

/** Something happens, and then a moment passes. */
function happen(one: RunPlay, world: TestWorld, [what, whom]: readonly [number, number]): void {
  const machineId = `m-${whom % world.machines.size}`
  const task = one.state.active.toArray()[whom % Math.max(1, one.state.active.size)]
  const { stepId, attempt, machineId: worker } = one.state.tasks.get(task ?? '') ?? {}
  const asked = one.of('DecisionRequested').at(-1)?.data
  if (what <= 4 && task !== undefined)
    one.end(stepId!, worker!, what < 3 ? failed(reasons[whom % 3]) : succeeded(), attempt)
  else if (what === 5) world.change(machineId, { status: statuses[whom % 5]!, statusSince: one.nowMs })
  else if (what === 6) world.change(machineId, { dirtyWith: whom % 2 === 0 ? 'of another' : null })
  else if (what === 7 && asked !== undefined)
    one.decide(whom % 2 === 0 ? 'retry' : 'exclude', { stepId: asked.stepId, machineId: asked.machineId })
  else if (what === 8 && whom % 10 === 0) one.cancel()
  one.advance(whom * 200)
}

/** By when a run has to have ended that is left alone, from when its time is over: what clears up has its own limits. */
const restMs = (run: Run): number =>
  cancelGraceMs +
  run.steps.reduce((sum, { definition }) => {
    const { canary, timeLimitMs, askWithinMs } = definition as StepOf<'script'>
    const hold = canary === null ? 0 : 'forMs' in canary.hold ? canary.hold.forMs : canary.hold.withinMs
    const turns = run.targets.size
    return sum + turns * (2 * contactBudgetMs + timeLimitMs + taskLeaseMs + askWithinMs + 4 * lookMs) + hold
  }, 0)

/** Every attempt of a step on a machine, with what begins anew when a person wants it again. */
function overBudget(one: RunPlay): readonly string[] {
  const wanted = one.of('DecisionMade').filter(({ data }) => data.decision === 'retry')
  const begun = new Map<string, number>()
  return one.facts.flatMap((fact) => {
    if (fact.type === 'DecisionMade' && fact.data.decision === 'retry')
      begun.delete(`${fact.data.stepId}@${fact.data.machineId}`)
    if (fact.type !== 'TaskDispatched') return []
    const { stepId, machineId, attempt, dispatchedAt, timeLimitMs, taskId } = fact.data
    const definition = one.state.steps.find((step) => step.definition.id === stepId)!.definition as StepOf<'script'>
    const key = `${stepId}@${machineId}`
    const begunAt = begun.get(key) ?? dispatchedAt
    begun.set(key, begunAt)
    const again = wanted.filter(({ data }) => `${data.stepId}@${data.machineId}` === key).length
    const isOver =
      dispatchedAt + timeLimitMs > begunAt + definition.timeLimitMs ||
      timeLimitMs > attemptLimitMs(definition, undefined, 0) ||
      attempt > definition.attemptsMax * (1 + again)
    return isOver ? [taskId] : []
  })
}

describe('a run that is left alone', () => {
  it(
    'ends in the time that its settings tell, and no try takes more than the budget of all',
    { timeout: 60_000 },
    () => {
      fc.assert(
        fc.property(
          limits,
          fc.tuple(tried, rolling),
          fc.tuple(tried, rolling),
          moves,
          (wide, first, second, happening) => {
            const { machines, ...changes } = wide
            const world = new TestWorld(...Array.from({ length: machines }, (_, number) => machine(`m-${number}`)))
            const steps = [
              { id: 'a', ...first[0], ...first[1], start: 'after-previous' },
              { id: 'b', ...second[0], ...second[1], ...(asksTwice(first, second) && { canary: null }) },
              { id: 'undo', condition: 'failure', timeLimitMs: minuteMs },
            ]
            const one = play(world, steps, { ...changes, contactBudgetMs, taskLeaseMs, cancelGraceMs })
            for (const move of happening) happen(one, world, move)
            const endsBy = Math.max(one.nowMs, startMs + wide.timeLimitMs) + restMs(one.state)
            while (one.ending === null && one.nowMs <= endsBy) one.advance(lookMs)
            expect(one.ending, `not by ${(endsBy - startMs) / minuteMs} min`).not.toBeNull()
            expect(Object.keys(one.ending!.outcomes).toSorted()).toEqual([...world.machines.keys()].toSorted())
            expect(overBudget(one)).toEqual([])
          },
        ),
        { numRuns: 200 },
      )
    },
  )
})

type Step = readonly [unknown, { readonly canary: { readonly hold: object } | null }]
/** Two steps side by side that ask for an approval are no process. */
const asksTwice = (...both: readonly Step[]) =>
  both.every(([, { canary }]) => canary !== null && 'approval' in canary.hold)
