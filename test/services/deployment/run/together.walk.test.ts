import { describe, expect, it } from 'vitest'
import type { Play } from './walk/moves.ts'
import { beginning, machine } from './walk/place.ts'
import { walk } from './walk/walk.ts'

const part = { timeLimitMs: 60_000 }
const script = (id: string, more: object = {}) => ({ id, kind: 'script', script: 'true', ...part, ...more })
const beside = { start: 'with-previous' }
const asks = { onFailure: 'ask', askWithinMs: 200_000 }
const retried = { attemptsMax: 2, retryAfterMs: 5_000 }
const watched = { canary: { size: 1, hold: { forMs: 60_000 } } }
const undo = script('undo', { on: 'worker', condition: 'failure' })

const [one, two, three] = [machine('m-1'), machine('m-2'), machine('m-3')]
const worker = machine('w', { roles: ['worker'] })
const long = 130_000
const short = 6_000
const frozen = { reason: 'frozen', detail: 'a freeze of production', until: 2_000_000 } as const
const scheduled = { reason: 'scheduled', detail: 'its time has not come', until: 1_500_000 } as const

/** Settings that each have a walk of their own, and here meet one another; every one may be cancelled at any point. */
const walks: Record<string, { from: ReturnType<typeof beginning>; play: Play; movesMax: number }> = {
  'a canary, a minimum and a question side by side': {
    from: beginning(
      [one, two, three],
      [
        script('a', { ...watched, ...asks }),
        script('b', { ...beside, minimumHealthy: 1, window: 1, onFailure: 'exclude' }),
      ],
    ),
    play: { machines: { 'm-1': ['blinks'], 'm-2': ['is removed'] }, waitsMs: [long] },
    movesMax: 5,
  },
  'tries with a back-off, a minimum, and a person who is asked when they are used up': {
    from: beginning(
      [one, two],
      [script('a', { ...asks, ...retried, minimumHealthy: 1, attemptTimeLimitMs: 10_000 }), script('b')],
      { elastic: false },
    ),
    play: {
      machines: { 'm-1': ['blinks', 'is dirtied'] },
      ...{ waitsMs: [short, long], failures: ['exit-code', 'could-not-start'] },
    },
    movesMax: 5,
  },
  'steps that run where something is true, is not, or cannot be told': {
    from: beginning(
      [worker, one, two],
      [
        script('a', { onFailure: 'exclude' }),
        script('b', { when: 'outputs.a.X[0] == "yes"', onFailure: 'exclude' }),
        script('c', { ...beside, when: 'failed', condition: 'always' }),
        script('d', { when: 'size(outputs.b) == 0' }),
        undo,
      ],
    ),
    play: { machines: { 'm-1': ['blinks', 'is removed'] }, waitsMs: [long], outputs: { X: 'yes' } },
    movesMax: 6,
  },
  'a release of another project behind steps side by side, and what clears up': {
    from: beginning(
      [worker, one, two],
      [
        script('a', { window: 1 }),
        script('tell', { ...beside, on: 'worker', ...retried }),
        { id: 'other', kind: 'deploy-release', project: 'database', version: 'latest', timeLimitMs: 100_000 },
        script('b', watched),
        undo,
      ],
      { timeLimitMs: 300_000 },
    ),
    play: { machines: { 'm-1': ['is dirtied'], w: ['blinks', 'is dirtied'] }, waitsMs: [long] },
    movesMax: 6,
  },
  'one that waits for its time, then for a freeze, then for its turn': {
    from: hold(beginning([one, two], [script('a', { window: 1 }), script('b')], {}, false)),
    play: { machines: { 'm-1': ['blinks', 'is removed', 'is dirtied'] }, waitsMs: [long] },
    movesMax: 6,
  },
  'machines that others made dirty, or that this one does': {
    from: beginning([one, two, three], [script('a', { window: 2 }), script('b', { minimumHealthy: 1 })], {
      cancelGraceMs: 10_000,
    }),
    play: { machines: { 'm-1': ['is dirtied'], 'm-2': ['is dirtied', 'is switched'] }, waitsMs: [short, long] },
    movesMax: 5,
  },
  'newcomers behind a canary that a person looked at, with a minimum behind them': {
    from: beginning(
      [one, two, machine('m-3', { enabled: false })],
      [
        script('a', { catchUp: true, canary: { size: 1, hold: { approval: 'go on?', withinMs: 200_000 } } }),
        { id: 'find', kind: 'reevaluate-targets', from: { roles: ['web'] }, expect: { withinMs: 100_000 } },
        script('b', { minimumHealthy: '50%', onFailure: 'exclude', ...retried }),
      ],
    ),
    play: { machines: { 'm-1': ['blinks'], 'm-3': ['is switched', 'is dirtied'] }, waitsMs: [long] },
    movesMax: 7,
  },
}

function hold(from: ReturnType<typeof beginning>): ReturnType<typeof beginning> {
  return { ...from, place: { ...from.place, holds: [scheduled, frozen, { ...frozen, until: 3_000_000 }] } }
}

describe('a run keeps its promises where settings meet: in every history of', () => {
  it.each(Object.entries(walks))('%s', { timeout: 120_000 }, (_, { from, play, movesMax }) => {
    const { broken, places, histories, endings } = walk(from, play, movesMax)
    expect(broken).toEqual([])
    expect([...endings].toSorted()).toEqual(['cancelled', 'failed', 'succeeded'])
    expect(places).toBeGreaterThan(1_000)
    expect(histories).toBeGreaterThan(places)
  })
})
