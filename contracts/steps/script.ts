import { z } from 'zod'
import { roles } from '../ids.ts'
import { canary } from './canary.ts'
import { common, Window } from './common.ts'
import { tries } from './tries.ts'

export const scriptCharsMax = 128 * 1024

export const scriptStep = (object: typeof z.object) => ({
  ...common,
  kind: z.literal('script'),
  /** On every target with one of the roles (none named: every target), or once on a worker. */
  on: z.enum(['targets', 'worker']).default('targets'),
  roles: roles.default([]),
  /** bash, pwsh, or any program that takes the script's file as its argument. */
  interpreter: z.string().min(1).max(200).default('bash'),
  script: z.string().min(1).max(scriptCharsMax),
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
