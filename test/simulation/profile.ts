import type { BusFaults } from '#test/support/faultyBus.ts'
import { createDice } from '#test/support/dice.ts'
import { seedOf } from './context.ts'
import type { StoreFaults } from './faultyStore.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs

/**
 * What may go wrong in one simulation, and how often. Each seed picks its own mixture, and leaves some things out
 * altogether: rare combinations come up that way, which a constant noise of everything would never show.
 */
export interface Profile {
  /** How long a machine that may die lives on average; null: none dies. */
  readonly lifeMs: number | null
  /** How long it takes until another one takes its place. */
  readonly replacedAfterMs: number
  /** Time between two interruptions of one machine's road, and how long the longest lasts. */
  readonly blinkEveryMs: number | null
  readonly blinkMaxMs: number
  readonly rebootEveryMs: number | null
  readonly zoneOutageEveryMs: number | null
  readonly zoneOutageMaxMs: number
  readonly serverCrashEveryMs: number | null
  readonly serverStopEveryMs: number | null
  readonly serverPauseEveryMs: number | null
  readonly downMaxMs: number
  /** By how much the server's wall clock may be wrong when it starts. */
  readonly wallErrorMaxMs: number
  readonly bus: BusFaults
  readonly store: StoreFaults | null
  readonly operatorEveryMs: number
  readonly releaseEveryMs: number
  readonly badReleaseShare: number
  readonly heartbeatEveryMs: number
  readonly removeAfterMs: number
  readonly guardEnabled: boolean
  readonly staticAutomatic: boolean
  /** How often there is a freeze; null: never. */
  readonly freezeEveryHours: number | null
}

export function profileOf(seed: number): Profile {
  const { chance } = createDice(seedOf(seed, 'profile'))
  const between = (min: number, max: number) => min + chance() * (max - min)
  const maybe = (share: number, value: () => number) => (chance() < share ? value() : null)
  const pick = <Item>(...items: readonly Item[]): Item => items[Math.floor(chance() * items.length)]!
  const busIsFaulty = chance() < 0.7
  return {
    lifeMs: maybe(0.8, () => between(2 * hourMs, 12 * hourMs)),
    replacedAfterMs: between(minuteMs, hourMs),
    blinkEveryMs: maybe(0.7, () => between(hourMs, 8 * hourMs)),
    blinkMaxMs: pick(2 * minuteMs, 20 * minuteMs, 4 * hourMs),
    rebootEveryMs: maybe(0.7, () => between(hourMs, 8 * hourMs)),
    zoneOutageEveryMs: maybe(0.5, () => between(3 * hourMs, 12 * hourMs)),
    zoneOutageMaxMs: pick(5 * minuteMs, hourMs, 3 * hourMs),
    serverCrashEveryMs: maybe(0.7, () => between(hourMs, 6 * hourMs)),
    serverStopEveryMs: maybe(0.5, () => between(2 * hourMs, 8 * hourMs)),
    serverPauseEveryMs: maybe(0.3, () => between(2 * hourMs, 8 * hourMs)),
    downMaxMs: pick(30_000, 10 * minuteMs, 2 * hourMs),
    wallErrorMaxMs: pick(0, 0, 5_000, hourMs),
    bus: busIsFaulty
      ? {
          lose: pick(0, 0.001, 0.02),
          double: pick(0, 0.05, 0.3),
          delay: pick(0, 0.01, 0.1),
          delayMaxMs: pick(100, 3_000),
          loseRequest: pick(0, 0.01, 0.05),
          loseAnswer: pick(0, 0.01, 0.05),
        }
      : {},
    store: chance() < 0.3 ? { fail: pick(0, 0.002), failBehind: pick(0, 0.01), slow: 0.01, slowMaxMs: 2_000 } : null,
    operatorEveryMs: between(5 * minuteMs, 40 * minuteMs),
    releaseEveryMs: between(hourMs, 5 * hourMs),
    badReleaseShare: pick(0, 0.2, 0.5),
    heartbeatEveryMs: pick(10_000, 20_000, 30_000),
    removeAfterMs: pick(5, 8, 10) * minuteMs,
    guardEnabled: chance() < 0.85,
    staticAutomatic: chance() < 0.6,
    freezeEveryHours: maybe(0.4, () => pick(2, 3, 6)),
  }
}
