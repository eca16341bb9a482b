import { expect, it } from 'vitest'
import { countOf } from '#services/deployment/run/window.ts'

it.each([
  [1, 10, 1],
  [7, 3, 7],
  ['100%', 10, 10],
  ['50%', 10, 5],
  ['50%', 3, 2],
  ['25%', 10, 3],
  ['1%', 10, 1],
  ['1%', 1_000, 10],
  ['33%', 1, 1],
  ['99%', 100, 99],
] as const)('a window of %s on %i targets is %i', (window, targets, size) => {
  expect(countOf(window, targets)).toBe(size)
})
