import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { processOf, RunPlay } from './play.ts'
import { brokenBy, happen, type Move } from './walk/happening.ts'
import { machine, TestWorld } from './world.ts'

const moves = fc.array(fc.tuple(fc.nat(12), fc.nat(99)) satisfies fc.Arbitrary<Move>, { maxLength: 60 })
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
  catchUp: fc.boolean(),
  joiners: fc.constantFrom('include', 'ignore'),
})

/** Most tasks go well, so that the steps behind the first are reached. */
const calmMoves = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.tuple(fc.nat(3), fc.nat(99)) },
    { weight: 1, arbitrary: fc.tuple(fc.constantFrom(4, 5, 6, 6, 7, 8, 10, 11, 11, 12), fc.nat(99)) },
  ) satisfies fc.Arbitrary<Move>,
  { minLength: 20, maxLength: 80 },
)
const calmSettings = fc.record({
  machines: fc.integer({ min: 4, max: 9 }),
  window: amount,
  minimumHealthy: fc.oneof(fc.integer({ min: 1, max: 2 }), fc.constantFrom('20%', '40%')),
  mode: fc.constantFrom('add', 'replace'),
  joiners: fc.constantFrom('include', 'ignore'),
})
const changing: ReadonlySet<string> = new Set(['TargetsReevaluated', 'TargetsRevalidated', 'TargetIncluded'])

describe('a rolling step', () => {
  it('keeps its window and its minimum at every event, whatever happens', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(settings, moves, ({ machines, mode, elastic, joiners, catchUp, ...step }, happening) => {
        const world = new TestWorld(...Array.from({ length: machines }, (_, number) => machine(`m-${number}`)))
        const rolling = { ...step, roles: ['web'], retryAfterMs: 1_000, timeLimitMs: 600_000 }
        const find = { id: 'find', kind: 'reevaluate-targets', from: { roles: ['web'] }, mode, expect: { min: 0 } }
        const steps = [
          { id: 'a', catchUp, ...rolling },
          { id: 'b', start: 'with-previous', ...rolling },
          find,
          { id: 'c', ...rolling },
        ]
        const one = new RunPlay(world, { ...processOf(...steps), joiners }, { elastic }).create()
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

  it('keeps them when its targets have just changed', { timeout: 60_000 }, () => {
    let changes = 0
    fc.assert(
      fc.property(calmSettings, calmMoves, ({ machines, mode, joiners, ...step }, happening) => {
        const world = new TestWorld(...Array.from({ length: machines }, (_, number) => machine(`m-${number}`)))
        const rolling = { ...step, roles: ['web'], onFailure: 'exclude', timeLimitMs: 600_000 }
        const find = { id: 'find', kind: 'reevaluate-targets', from: { roles: ['web'] }, mode }
        const process = processOf(
          { id: 'a', catchUp: true, ...rolling },
          find,
          { id: 'b', ...rolling },
          { id: 'c', ...rolling },
        )
        const one = new RunPlay(world, { ...process, joiners }).create()
        const broken = [...brokenBy(one, 0)]
        for (const move of happening) {
          const before = one.facts.length
          happen(one, world, move)
          broken.push(...brokenBy(one, before))
        }
        changes += one.types.filter((type) => changing.has(type)).length
        expect(broken).toEqual([])
      }),
      { numRuns: 300 },
    )
    expect(changes).toBeGreaterThan(300)
  })
})
