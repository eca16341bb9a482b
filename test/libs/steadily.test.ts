import { expect, it } from 'vitest'
import { steadilyFrom } from '#libs/steadily.ts'
import { createVirtualClock } from '#test/support/virtualClock.ts'

const startMs = Date.UTC(2026, 0, 1)

it('goes on from an earlier process when the wall clock was set back', async () => {
  const clock = createVirtualClock({ startMs })
  const steady = steadilyFrom(clock, startMs + 5_000)
  expect(steady.steadyMs()).toBe(startMs + 5_000)
  await clock.advance(1_000)
  expect(steady.steadyMs()).toBe(startMs + 6_000)
  expect(steady.wallMs()).toBe(startMs + 1_000)
})

it('is the clock itself when nothing was set back', () => {
  const clock = createVirtualClock({ startMs })
  expect(steadilyFrom(clock, 0)).toBe(clock)
  expect(steadilyFrom(clock, startMs - 1)).toBe(clock)
})
