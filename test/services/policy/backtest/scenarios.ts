import fc from 'fast-check'
import type { Settings } from '../../deployment/stage.ts'
import type { Happening, Scenario } from './history.ts'

const machinesMax = 9
const untilS = 900
const minuteMs = 60_000

const halfSeconds = fc.integer({ min: 2, max: untilS * 2 - 2 }).map((half) => half / 2)
const machine = fc.nat(machinesMax - 1)
const doing = (...what: readonly Extract<Happening, { machine: number }>['what'][]) =>
  fc.record({ at: halfSeconds, what: fc.constantFrom(...what), machine }) as fc.Arbitrary<Happening>
const gap = fc.record({ at: halfSeconds, what: fc.constant('gap' as const), forS: fc.integer({ min: 1, max: 90 }) })
const said = fc.record({
  ...{ at: halfSeconds, what: fc.constant('provider' as const), machine },
  state: fc.constantFrom('running' as const, 'terminated' as const, 'unknown' as const),
})
const ofPeople = fc.record({ at: halfSeconds, what: fc.constantFrom('provider-silent' as const, 'release' as const) })

/** A silence that ends, and not alone: many begin in the first minutes. */
const silences = fc.tuple(machine, fc.nat(200), fc.integer({ min: 1, max: 600 })).map(([number, from, forS]) => [
  { at: from + 1, what: 'silent' as const, machine: number },
  { at: Math.min(untilS, from + 1 + forS), what: 'heard' as const, machine: number },
])

/** What happens to machines by themselves, whatever the policy decides. */
export const byNature: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 6, arbitrary: doing('silent', 'heard') },
  { weight: 1, arbitrary: gap },
)
/** The same, and what people, deployments and providers do. */
const byOthers: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 6, arbitrary: doing('silent', 'heard', 'late') },
  { weight: 2, arbitrary: doing('disabled', 'enabled', 'sold', 'not-contactable') },
  { weight: 1, arbitrary: gap },
  { weight: 2, arbitrary: said },
  { weight: 1, arbitrary: ofPeople },
)

const mostly = (usual: boolean) =>
  fc.oneof({ weight: 7, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constant(!usual) })

export const settingsOf = (provider: fc.Arbitrary<string | null>): fc.Arbitrary<Settings> =>
  fc.record({
    dynamicRegistration: fc.record({
      enabled: mostly(true),
      removeAfterMs: fc.constantFrom(20_000, 60_000, 120_500),
      removeWhenNotContactable: fc.boolean(),
      startUpGraceMs: fc.constantFrom(0, 0, 100_000, 300_000),
      protectedLabels: fc.constantFrom([], ['zone=z-1'], ['database']),
      quietHours: fc.constantFrom([], [], [{ cron: '5 * * * *', forMs: 4 * minuteMs, timeZone: 'UTC' }]),
      provider,
    }),
    guard: fc.record({
      enabled: mostly(true),
      failureDomain: fc.constantFrom('zone', null),
      share: fc.constantFrom(0.2, 0.4),
      floor: fc.constantFrom(1, 2),
      windowMs: fc.constantFrom(30_000, 300_000),
      releaseShare: fc.constantFrom(0.1, 0.3),
      releaseEveryMs: fc.constantFrom(60_000, 200_000),
      fullStopShare: fc.constantFrom(0.55, 0.9),
    }),
    health: fc.record({ unavailableAfterMs: fc.constantFrom(10_000, 60_000), lateAfterMs: fc.constant(5_000) }),
  })

export const byAnybody: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 12, arbitrary: byOthers },
  {
    weight: 1,
    arbitrary: fc.record({
      ...{ at: halfSeconds, what: fc.constant('policy' as const) },
      settings: settingsOf(fc.constantFrom(null, 'cloud', 'cloud')),
    }),
  },
)

export const scenarioOf = (happening: fc.Arbitrary<Happening>): fc.Arbitrary<Scenario> =>
  fc
    .record({
      machines: fc.integer({ min: 3, max: machinesMax }),
      zones: fc.integer({ min: 1, max: 3 }),
      some: fc.array(happening, { maxLength: 25 }),
      others: fc.array(silences, { maxLength: 8 }),
    })
    .map(({ machines, zones, some, others }) => {
      const happenings = [...some, ...others.flat()]
      return {
        ...{ machines, zones, untilS },
        happenings: happenings.filter((one) => !('machine' in one) || one.machine < machines),
      }
    })
