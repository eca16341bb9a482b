import { describe, expect, it } from 'vitest'
import type { Play } from './walk/moves.ts'
import { beginning, machine } from './walk/place.ts'
import { walk } from './walk/walk.ts'

const script = (id: string, more: object = {}) => ({ id, kind: 'script', script: 'true', timeLimitMs: 60_000, ...more })
const approval = { id: 'ask', kind: 'approval', message: 'go?', timeLimitMs: 100_000 }
const find = { id: 'find', kind: 'reevaluate-targets', from: { roles: ['web'] }, expect: { withinMs: 100_000 } }
const [one, two] = [machine('m-1'), machine('m-2')]
const away = machine('m-3', { registered: false })
const waitsMs = [130_000]

type Begun = ReturnType<typeof beginning>
const takingIn = (begun: Begun): Begun => {
  const { process } = begun.create.data
  return {
    ...begun,
    create: { ...begun.create, data: { ...begun.create.data, process: { ...process, joiners: 'include' } } },
  }
}

const walks: Record<string, { from: Begun; play: Play; movesMax: number }> = {
  'machines that a person excludes and takes in again': {
    from: beginning([one, two], [script('a', { window: 1 }), script('b')], { cancelGraceMs: 100_000 }),
    play: { machines: { 'm-1': ['is removed'] }, waitsMs, excludes: ['m-1', 'm-2'] },
    movesMax: 6,
  },
  'a machine that makes up for steps at the end, when the time is over': {
    from: beginning([one, two], [script('a'), script('b')], { cancelGraceMs: 20_000, timeLimitMs: 150_000 }),
    play: { machines: {}, waitsMs: [100_000, 60_000], excludes: ['m-2'] },
    movesMax: 8,
  },
  'an exclusion that re-evaluations do not overrule': {
    from: beginning([one, two], [script('a', { catchUp: true }), { ...find, mode: 'add' }, approval, script('b')]),
    play: { machines: { 'm-2': ['is switched'] }, waitsMs, excludes: ['m-2'] },
    movesMax: 6,
  },
  'machines that come while it is held, and are taken in': {
    from: takingIn(beginning([one, two, away], [script('a', { catchUp: true, window: '50%' }), approval, script('b')])),
    play: { machines: { 'm-2': ['is switched'], 'm-3': ['is restored', 'is removed', 'blinks'] }, waitsMs },
    movesMax: 6,
  },
  'the same, and are left to others': {
    from: beginning([one, two, away], [script('a', { window: '50%' }), approval, script('b')]),
    play: { machines: { 'm-2': ['blinks'], 'm-3': ['is restored', 'is removed', 'blinks'] }, waitsMs },
    movesMax: 6,
  },
  'a change of the targets that a person is to approve': {
    from: beginning(
      [one, two, away],
      [
        script('a', { window: '100%' }),
        { ...find, approveAbove: 0, approveWithinMs: 100_000, expect: { min: 2, withinMs: 100_000 } },
        script('b'),
      ],
    ),
    play: { machines: { 'm-2': ['blinks', 'is removed'], 'm-3': ['is restored', 'blinks'] }, waitsMs },
    movesMax: 7,
  },
}

describe('a run keeps its promises to its targets in every history of', () => {
  it.each(Object.entries(walks))('%s', { timeout: 120_000 }, (_, { from, play, movesMax }) => {
    const { broken, places, histories, endings } = walk(from, play, movesMax)
    expect(broken).toEqual([])
    expect([...endings].toSorted()).toEqual(['cancelled', 'failed', 'succeeded'])
    expect(places).toBeGreaterThan(1_000)
    expect(histories).toBeGreaterThan(places)
  })
})
