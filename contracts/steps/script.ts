import { z } from 'zod'
import { roles } from '../ids.ts'
import { duration } from '../units.ts'
import { canary } from './canary.ts'
import { common, minuteMs, Window } from './common.ts'

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
  askWithinMs: duration.default(60 * minuteMs),
  attemptsMax: z.number().int().min(1).max(10).default(1),
  /** How long the first wait for another try is; each further one is so many times as long, up to a most. */
  retryAfterMs: duration.default(5_000),
  retryFactor: z.number().min(1).max(10).default(2),
  retryAfterMaxMs: duration.default(5 * minuteMs),
  /** What one attempt may take of the time that all of them share. */
  attemptTimeLimitMs: duration.optional(),
  /** Whether an attempt that a crash interrupted may be tried again; otherwise it is a failure that says so. */
  repeatable: z.boolean().default(false),
})
