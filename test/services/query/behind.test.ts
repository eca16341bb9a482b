import { expect, it } from 'vitest'
import { eventsBehind } from '#services/query/behind.ts'
import { mustAppend, noted } from '#test/support/store.ts'
import { memoryStore, storeWithGaps } from '#test/support/stores.ts'
import { createVirtualClock } from '#test/support/virtualClock.ts'

const facts = Array.from({ length: 500 }, (_, number) => noted(number))

it.each([
  ['consecutive positions', 1],
  ['gaps between positions', 1_000],
])('a read model is so many events behind, in a store with %s', async (_what, gap) => {
  const store = storeWithGaps(memoryStore(createVirtualClock()), gap)
  for (let version = 0; version < 3_000; version += facts.length)
    await mustAppend(store, 'machine-a', version, ...facts)
  expect(await eventsBehind(store, 0, 100)).toBe(3_000)
  expect(await eventsBehind(store, 2_000 * gap, 100)).toBe(1_000)
  expect(await eventsBehind(store, 3_000 * gap, 100)).toBe(0)
})
