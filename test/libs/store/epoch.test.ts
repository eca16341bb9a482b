import { expect, it } from 'vitest'
import { nextEpoch } from '#libs/store/epoch.ts'
import { systemClock } from '#libs/systemClock.ts'

const clockAt = (wallMs: number) => ({ ...systemClock, wallMs: () => wallMs })

it('gives each restore of one backup another epoch', () => {
  const [earlier, later] = [nextEpoch(1, clockAt(1_790_000_000_000)), nextEpoch(1, clockAt(1_790_000_060_000))]
  expect(later).toBeGreaterThan(earlier)
})

it('gives a later epoch even when the clock was set back', () => {
  expect(nextEpoch(1_790_000_000, clockAt(0))).toBe(1_790_000_001)
})
