import { describe, expect, it } from 'vitest'
import type { Outcome } from './day.ts'
import { playAll, type Play } from './pool.ts'

const day = { machines: 20, hours: 8 }
const workers = 2
const patienceMs = 400_000
const minuteMs = 60_000

const playsOf = (seeds: number, more: Partial<Play> = {}): readonly Play[] =>
  Array.from({ length: seeds }, (_, index) => ({ seed: index + 1, ...day, ...more }))

async function play(plays: readonly Play[], isEnough?: (outcomes: readonly Outcome[]) => boolean) {
  const outcomes: Outcome[] = []
  const keep = (outcome: Outcome) => void outcomes.push(outcome)
  await playAll(plays, workers, keep, () => isEnough?.(outcomes) === true)
  return outcomes.sort((a, b) => a.seed - b.seed)
}

describe('the whole control plane, simulated', () => {
  it(
    'keeps all rules in twenty days full of faults',
    async () => {
      const begunMs = performance.now()
      const outcomes = await play(playsOf(20))
      console.log(`${((20 * minuteMs) / (performance.now() - begunMs)).toFixed(1)} seeds of ${day.hours} h a minute`)
      expect(outcomes.flatMap(({ explanation }) => explanation ?? []).join('\n')).toBe('')
    },
    patienceMs,
  )

  it(
    'goes the same way when the same seed is played again',
    async () => {
      const short = playsOf(3, { hours: 3 })
      const [first, second] = [await play(short), await play(short)]
      expect(second.map(({ fingerprint }) => fingerprint)).toEqual(first.map(({ fingerprint }) => fingerprint))
      expect(new Set(first.map(({ fingerprint }) => fingerprint)).size).toBe(short.length)
    },
    patienceMs,
  )

  it.each([
    { defect: 'ignores-command-ids', rule: 'R1' },
    { defect: 'forgets-that-nobody-listened', rule: 'R2' },
  ])(
    'finds a planted mistake: a server that $defect',
    async ({ defect, rule }) => {
      const found = (outcomes: readonly Outcome[]) => outcomes.some(({ breach }) => breach?.rule === rule)
      const outcomes = await play(playsOf(10, { defect }), found)
      expect(found(outcomes)).toBe(true)
    },
    patienceMs,
  )
})
