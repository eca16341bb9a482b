import type { Window } from '#contracts/steps/common.ts'

/**
 * How many targets a window or a minimum means. A share is rounded up, so that every window lets at least one machine
 * work and no minimum is less than what was asked for.
 * @param targets how many there are
 */
export const countOf = (window: Window, targets: number): number =>
  typeof window === 'number' ? window : Math.max(1, Math.ceil((targets * Number.parseInt(window, 10)) / 100))
