import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { DeploymentEvent } from '#contracts/deployment.ts'
import { replay } from '#libs/decider.ts'
import { run } from '#services/deployment/run/decider.ts'
import { deploymentId, play } from './play.ts'
import { TestWorld } from './world.ts'

const ids = ['m-1', 'm-2', 'm-3'] as const
const [stepId, at, reason] = ['a', 1, 'so']
type Word = readonly [
  what: 'found' | 'joined' | 'left' | 'left out' | 'replaced' | 'barred' | 'admitted',
  machineId: string,
]

const words = fc.array(
  fc.tuple(
    fc.constantFrom('found', 'joined', 'left', 'left out', 'replaced', 'barred', 'admitted'),
    fc.constantFrom(...ids),
  ) satisfies fc.Arbitrary<Word>,
  { maxLength: 30 },
)

/** What happened, as it is stored. */
function factOf([what, machineId]: Word): DeploymentEvent {
  const who = { machineId, name: machineId, roles: ['web'], reason }
  const about = { deploymentId, stepId }
  const diff = { ...about, kept: [], catchUp: [], seenPosition: 1 }
  switch (what) {
    case 'found':
      return { type: 'TargetsReevaluated', data: { ...diff, added: [who], removed: [] } }
    case 'replaced':
      return { type: 'TargetsReevaluated', data: { ...diff, added: [], removed: [who] } }
    case 'joined': {
      const joined = [{ ...who, catchUp: [] }]
      return { type: 'TargetsRevalidated', data: { ...about, joined, ignored: [], seenPosition: 1, at } }
    }
    case 'left':
    case 'left out': {
      const cause = what === 'left' ? 'unhealthy' : 'person'
      return { type: 'TargetExcluded', data: { ...about, machineId, cause, detail: reason, unavailableSince: null } }
    }
    case 'barred':
      return {
        type: 'TargetExclusionRequested',
        data: { deploymentId, machineId, name: machineId, reason, requestedAt: at },
      }
    case 'admitted':
      return { type: 'TargetIncluded', data: { ...about, ...who, catchUp: [], at } }
  }
}

const comings: ReadonlySet<Word[0]> = new Set(['found', 'joined', 'admitted'])

/** Whether the machine is a target and whether a person keeps it out, told from its own words alone. */
function membership(said: readonly Word[], machineId: string) {
  const own = said.flatMap(([what, id]) => (id === machineId ? [what] : []))
  const admittedAt = own.lastIndexOf('admitted')
  const barredAt = own.indexOf('barred', admittedAt + 1)
  const isBarred = barredAt >= 0
  const last = own.slice(0, isBarred ? barredAt : undefined).findLast((what) => what !== 'barred')
  const after = isBarred ? own.slice(barredAt) : []
  const isIn = last !== undefined && comings.has(last)
  // Only a target is left out; of one that never was nothing is said by it.
  const isLeftOut = own.some(
    (what, index) => what === 'left out' && index > admittedAt && own.slice(0, index).some((one) => comings.has(one)),
  )
  // It stays in for the moment that its task takes to end; whatever is said then takes it out, and nothing in.
  return { isBarred, isIn: isIn && !isLeftOut && after.every((what) => what === 'barred') }
}

it('the last word on a machine says whether it is a target, and whom a person keeps out nothing takes in', () => {
  const begun = play(new TestWorld(), [{ id: 'a' }, { id: 'b' }], { allowNoTargets: true }).facts.slice(0, 1)
  fc.assert(
    fc.property(words, (said) => {
      const state = replay(run, [...begun, ...said.map(factOf)])
      for (const machineId of ids) {
        const isIn = state.targets.get(machineId)?.excluded === null
        expect({ isBarred: state.barred.has(machineId), isIn }).toEqual(membership(said, machineId))
      }
    }),
    { numRuns: 500 },
  )
})
