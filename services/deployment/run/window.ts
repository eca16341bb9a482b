import type { Window } from '#contracts/steps/common.ts'

/**
 * How many of the targets may work at once. A share is rounded up, so that every window lets at least one machine work.
 * @param targets how many there are
 */
export const windowSize = (window: Window, targets: number): number =>
  typeof window === 'number' ? window : Math.max(1, Math.ceil((targets * Number.parseInt(window, 10)) / 100))
