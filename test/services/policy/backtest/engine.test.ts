import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Recorded } from '#contracts/message.ts'
import { EnvironmentPolicy } from '#contracts/policySettings.ts'
import { Engine } from '#services/policy/backtest/engine.ts'
import { isFact } from '#services/policy/backtest/facts.ts'
import type { Settings } from '../../deployment/stage.ts'
import { environmentId, live, wallStartMs } from './history.ts'
import { byAnybody, byNature, scenarioOf, settingsOf } from './scenarios.ts'

/** Replays a record, under the policy given or (null) the one that held. */
function replay(events: readonly Recorded[], settings: Settings | null, untilS: number, fromS = 0) {
  const engine = new Engine({ environmentId, sweepMs: 1_000, itemsMax: 1_000, aheadMs: -wallStartMs })
  const facts = events.filter(isFact)
  const before = facts.filter(({ meta }) => meta.at <= wallStartMs + fromS * 1_000 && fromS > 0)
  for (const fact of before) engine.learn(fact)
  engine.begin(fromS * 1_000, settings && EnvironmentPolicy.parse(settings))
  let looks = 0
  for (const event of facts.slice(before.length)) {
    const atMs = engine.time.of(event)
    for (; engine.nextLookMs < atMs; looks++) engine.look()
    engine.take(event, atMs)
  }
  for (; engine.nextLookMs <= untilS * 1_000; looks++) engine.look()
  const tell = (ms: number) => ms / 1_000
  return {
    looks,
    proposed: told(engine.findings.outcome('proposed', tell)),
    actual: told(engine.findings.outcome('actual', tell)),
    difference: engine.findings.difference(tell),
  }
}

/** What was decided, a line for each, as the record has it. */
const decided = (events: readonly Recorded[]): readonly string[] =>
  events
    .flatMap(({ type, data, meta }) => {
      const { machineId, rule, clause, domain, by } = data as Record<string, string>
      const at = (meta.at - wallStartMs) / 1_000
      const said = { RemovalRequested: rule, RemovalWithheld: '', RemovalDeferred: clause }[type]
      if (said !== undefined) return [`${at} ${type} ${machineId} ${said}`]
      const where = JSON.stringify(domain ?? null)
      if (type === 'MassFailureDetected') return [`${at} ${type} ${where}`]
      return type === 'MassFailureCleared' ? [`${at} ${type} ${where} ${by}`] : []
    })
    .toSorted()

const told = ({ removed, withheld, deferred, incidents }: ReturnType<Engine['findings']['outcome']>) =>
  [
    ...removed.items.map(({ machineId, at, rule }) => `${at} RemovalRequested ${machineId} ${rule}`),
    ...withheld.items.map(({ machineId, at }) => `${at} RemovalWithheld ${machineId} `),
    ...deferred.items.map(({ machineId, at, clause }) => `${at} RemovalDeferred ${machineId} ${clause}`),
    ...incidents.items.map(({ domain, at }) => `${at} MassFailureDetected ${JSON.stringify(domain)}`),
    ...incidents.items.flatMap(({ domain, until, how }) =>
      until === null ? [] : [`${until} MassFailureCleared ${JSON.stringify(domain)} ${how}`],
    ),
  ].toSorted()

describe('a replay', () => {
  it('under the policy that held finds what was decided, at the very second', () => {
    const held = settingsOf(fc.constantFrom(null, 'cloud'))
    fc.assert(
      fc.property(scenarioOf(byAnybody), held, (scenario, settings) => {
        const events = live(scenario, settings)
        const { proposed, actual, difference } = replay(events, null, scenario.untilS)
        expect(proposed).toEqual(decided(events))
        expect(actual).toEqual(decided(events))
        for (const { onlyProposed, onlyActual, both } of Object.values(difference)) {
          expect([onlyProposed.count, onlyActual.count]).toEqual([0, 0])
          expect(both.items.filter(({ differenceMs }) => differenceMs !== 0)).toEqual([])
        }
      }),
      { numRuns: 300 },
    )
  })
  it('that begins in the middle takes over what stood then', () => {
    const held = settingsOf(fc.constantFrom(null, 'cloud'))
    fc.assert(
      fc.property(scenarioOf(byAnybody), held, fc.integer({ min: 1, max: 600 }), (scenario, settings, fromS) => {
        const events = live(scenario, settings)
        const { proposed } = replay(events, null, scenario.untilS, fromS)
        // Of an incident that had begun before nothing is told, not even its end.
        const isTold = (line: string) => !line.includes('MassFailureCleared')
        const after = events.filter(({ meta }) => meta.at > wallStartMs + fromS * 1_000)
        expect(proposed.filter(isTold)).toEqual(decided(after).filter(isTold))
      }),
      { numRuns: 300 },
    )
  })
  it('under another policy finds what would have been decided had it held', () => {
    const settings = settingsOf(fc.constant(null))
    fc.assert(
      fc.property(scenarioOf(byNature), settings, settings, (scenario, held, tried) => {
        const { proposed } = replay(live(scenario, held), tried, scenario.untilS)
        expect(proposed).toEqual(decided(live(scenario, tried)))
      }),
      { numRuns: 300 },
    )
  })
  it('of weeks in which nothing is to be decided looks at next to nothing', () => {
    const happenings = [
      { at: 10, what: 'silent', machine: 0 },
      { at: 100, what: 'heard', machine: 0 },
    ] as const
    const events = live({ machines: 5, zones: 1, untilS: 200, happenings }, {})
    const { looks, proposed } = replay(events, null, 30 * 86_400)
    expect(proposed).toEqual([])
    expect(looks).toBeLessThan(5)
  })
})
