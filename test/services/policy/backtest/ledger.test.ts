import { describe, expect, it } from 'vitest'
import type { PolicyEvent } from '#contracts/policy.ts'
import { Episodes } from '#services/policy/backtest/episodes.ts'
import { Ledger } from '#services/policy/backtest/ledger.ts'

const environmentId = 'production'
const same = (ms: number) => ms
const hourMs = 3_600_000

const removal = (machineId: string, at: number, unavailableSince = 1) =>
  ({
    type: 'RemovalRequested',
    data: {
      ...{ environmentId, machineId, decisionId: 'd', at, rule: 'unavailable' as const, unavailableSince },
      ...{ observedMs: 5, thresholdMs: 5, policyVersion: 1, deploymentId: null },
    },
  }) as const
const held = (machineId: string): PolicyEvent => ({
  type: 'RemovalWithheld',
  data: {
    ...{ environmentId, machineId, unavailable: 5, registered: 10, share: 0.5, thresholdShare: 0.2 },
    ...{ policyVersion: 1, clearsWhen: '' },
  },
})
const deferred = (machineId: string, clause: 'start-up' | 'protected'): PolicyEvent => ({
  type: 'RemovalDeferred',
  data: { environmentId, machineId, clause, detail: '', unavailableSince: 1, observedMs: 5, policyVersion: 1, at: 7 },
})
const resumed = (by: 'person' | 'recovery', ...machineIds: readonly string[]): PolicyEvent => ({
  type: 'RemovalsResumed',
  data: { environmentId, machineIds, by },
})
function written(...entries: readonly (readonly [number, PolicyEvent])[]) {
  const ledger = new Ledger(100)
  for (const [nowMs, event] of entries) ledger.add(event, 'name', nowMs)
  return ledger
}

describe('what a policy did', () => {
  it('ends when it is over, and says how', () => {
    const ledger = written(
      [1, held('a')],
      [2, held('b')],
      [3, held('c')],
      [4, resumed('person', 'b')],
      [5, removal('a', 5)],
    )
    expect(ledger.outcome(same).withheld.items).toMatchObject([
      { machineId: 'a', at: 1, until: 5, how: 'removed' },
      { machineId: 'b', at: 2, until: 4, how: 'person' },
      { machineId: 'c', at: 3, until: null, how: null },
    ])
  })
  it('changes its reason without an end of its own', () => {
    const ledger = written([1, deferred('a', 'start-up')], [2, deferred('a', 'protected')], [3, held('a')])
    expect(ledger.outcome(same).deferred.items).toMatchObject([
      { clause: 'start-up', at: 1, until: 2, how: null },
      { clause: 'protected', at: 2, until: 3, how: null },
    ])
  })
  it('counts who came back within an hour, and each once', () => {
    const ledger = written([0, removal('a', 0)], [0, removal('b', 0)], [0, removal('c', 0)])
    ledger.returned('a', hourMs)
    ledger.returned('a', hourMs + 1)
    ledger.returned('b', hourMs + 1)
    const { removed, returnedWithinHour } = ledger.outcome(same)
    expect(removed.items.map(({ returnedAfterMs }) => returnedAfterMs)).toEqual([hourMs, hourMs + 1, null])
    expect(returnedWithinHour).toBe(1)
  })
  it('can be taken back, with what was counted for it', () => {
    const ledger = written([0, removal('a', 0)])
    ledger.returned('a', 5)
    expect([ledger.takeBack('a'), ledger.takeBack('a')]).toEqual([true, false])
    expect(ledger.outcome(same)).toMatchObject({ removed: { count: 0, items: [] }, returnedWithinHour: 0 })
  })
  it('is the same removal when it is decided again for the same silence', () => {
    const ledger = written([0, removal('a', 0)])
    expect(ledger.isRepeated(removal('a', 9).data)).toBe(true)
    expect(ledger.isRepeated(removal('a', 9, 8).data)).toBe(false)
  })
})

describe('what two policies did to a machine', () => {
  const difference = (tell: (episodes: Episodes) => void) => {
    const episodes = new Episodes(100)
    tell(episodes)
    const { onlyProposed, onlyActual, both } = episodes.difference(same)
    return {
      proposed: onlyProposed.items.map(({ at }) => at),
      actual: onlyActual.items.map(({ at }) => at),
      both: both.items.map(({ at, actualAt, differenceMs }) => [at, actualAt, differenceMs]),
    }
  }
  it('belongs together in one silence, in whichever order it came', () =>
    expect(
      difference((all) => {
        all.add('actual', 'a', 'a', 5)
        all.add('proposed', 'a', 'a', 9)
      }),
    ).toEqual({ proposed: [], actual: [], both: [[9, 5, 4]] }))
  it('does not belong together when the machine was heard in between', () =>
    expect(
      difference((all) => {
        all.add('proposed', 'a', 'a', 5)
        all.end('a')
        all.add('actual', 'a', 'a', 9)
      }),
    ).toEqual({ proposed: [5], actual: [9], both: [] }))
  it('may be taken back even after the machine was heard', () =>
    expect(
      difference((all) => {
        all.add('proposed', 'a', 'a', 5)
        all.end('a')
        all.takeBack('proposed', 'a')
      }),
    ).toEqual({ proposed: [], actual: [], both: [] }))
})
