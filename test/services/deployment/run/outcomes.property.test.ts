import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { DeploymentEvent } from '#contracts/deployment.ts'
import type { Created } from '#services/deployment/run/state.ts'
import { movesFrom, type Play } from './walk/moves.ts'
import { after, beginning, decideAt, machine, type Place } from './walk/place.ts'

const part = { timeLimitMs: 60_000 }
const script = (id: string, more: object = {}) => ({ id, kind: 'script', script: 'true', ...part, ...more })
const steps = fc.uniqueArray(
  fc.constantFrom<{ id: string }>(
    script('install'),
    script('smoke', { roles: ['db'], attemptsMax: 2, onFailure: 'exclude' }),
    script('tell', { on: 'worker', condition: 'always' }),
    { id: 'ask', kind: 'approval', message: 'go?', ...part } as { id: string },
    { id: 'well', kind: 'health-check', onUnavailable: 'exclude', ...part } as { id: string },
    {
      ...{ id: 'find', kind: 'reevaluate-targets', from: { roles: ['web'] }, expect: { min: 0, withinMs: 60_000 } },
      ...part,
    } as { id: string },
  ),
  { minLength: 1, maxLength: 5, selector: ({ id }) => id },
)
const fleet = fc.array(
  fc.record({ roles: fc.constantFrom(['web'], ['db'], ['worker']), enabled: fc.boolean(), registered: fc.boolean() }),
  { maxLength: 4 },
)
const options = fc.record<Partial<Created>>({
  elastic: fc.boolean(),
  kind: fc.constantFrom('release', 'automatic'),
  allowNoTargets: fc.boolean(),
})

const machineMoves = ['blinks', 'is removed', 'is restored', 'is switched', 'is taken', 'moves'] as const
const hopMs = 25 * 3_600_000
const hopsMax = 60

const playOf = ({ fleet: members }: Place): Play => ({
  machines: Object.fromEntries(Object.keys(members).map((machineId) => [machineId, machineMoves])),
  waitsMs: [6_000, 130_000],
  failures: ['exit-code', 'interrupted', 'cancelled'],
})

/** Goes one of the ways there are, then leaves the run alone until it has ended, and answers all that was decided. */
function history(first: Place, facts: readonly DeploymentEvent[], choices: readonly number[]) {
  const all = [...facts]
  let place = { ...first, run: after(first.run, facts) }
  const ask = (next: Place, request: Parameters<typeof decideAt>[1]) => {
    const decided = decideAt(next, request)
    if (typeof decided !== 'string') all.push(...decided)
    place = typeof decided === 'string' ? next : { ...next, run: after(next.run, decided) }
  }
  const play = playOf(first)
  for (const choice of choices) {
    const moves = movesFrom(place, play)
    const move = moves[choice % moves.length]
    if (move === undefined || place.run.status === 'ended') break
    ask(move.place, move.request)
  }
  for (let hop = 0; hop < hopsMax && place.run.status !== 'ended'; hop++)
    ask({ ...place, nowMs: place.nowMs + hopMs, first: true, busy: [] }, { type: 'Advance' })
  return { all, run: place.run }
}

const isEnd = ({ type }: DeploymentEvent) =>
  type === 'DeploymentSucceeded' || type === 'DeploymentFailed' || type === 'DeploymentCancelled'

/** Everyone who ever was a target, by the facts alone. */
const everTargets = (facts: readonly DeploymentEvent[]): ReadonlySet<string> =>
  new Set(
    facts.flatMap((fact) => {
      if (fact.type === 'TargetsEvaluated') return fact.data.included.map(({ machineId }) => machineId)
      return fact.type === 'TargetsReevaluated' ? fact.data.added.map(({ machineId }) => machineId) : []
    }),
  )

const mayReachNobody = ({ allowNoTargets, kind }: Partial<Created>, process: readonly { id: string }[]): boolean =>
  allowNoTargets === true ||
  kind === 'automatic' ||
  process.every(({ id }) => id === 'tell' || id === 'ask') ||
  process.some(({ id }) => id === 'find')

describe('whatever happens to a run', () => {
  it('it ends once, with one outcome for every target it ever had, and nobody reached is no success', () => {
    fc.assert(
      fc.property(fleet, steps, options, fc.boolean(), fc.array(fc.nat(1_000), { maxLength: 25 }), (...drawn) => {
        const [machines, process, changes, turn, choices] = drawn
        const members = machines.map((one, at) => machine(`m-${at}`, one))
        const machineIds = changes.kind === 'automatic' ? members.map(({ machineId }) => machineId) : null
        const { place, create } = beginning(members, process, { ...changes, machineIds }, turn)
        const { all, run } = history(place, decideAt(place, create) as readonly DeploymentEvent[], choices)
        const ends = all.filter(isEnd) as readonly Extract<DeploymentEvent, { type: 'DeploymentSucceeded' }>[]
        const targets = [...everTargets(all)].toSorted()

        expect(ends).toHaveLength(1)
        expect(ends[0]!.data.outcomes.map(({ machineId }) => machineId).toSorted()).toEqual(targets)
        expect(run.active.size).toBe(0)
        if (ends[0]!.type === 'DeploymentSucceeded' && targets.length === 0)
          expect(mayReachNobody(changes, process)).toBe(true)
      }),
      { numRuns: 300 },
    )
  })
})
