import { z } from 'zod'
import { roles } from '../ids.ts'
import { canary } from './canary.ts'
import { Window } from './common.ts'
import { tries } from './tries.ts'

/** How a step goes over its targets. */
export const rolling = (object: typeof z.object) => ({
  roles: roles.default([]),
  /** How many targets may run it at once. */
  window: Window.default('100%'),
  /** How many of its targets stay healthy while it runs; what is worth more than to be done fast. */
  minimumHealthy: Window.nullable().default(null),
  canary: canary(object).nullable().default(null),
  /**
   * What a failed target does: fails the step, is taken out of the deployment, which goes on without it, or has a person
   * asked, which fails it when nobody decides in time.
   */
  onFailure: z.enum(['fail', 'exclude', 'ask']).default('fail'),
  ...tries,
})
