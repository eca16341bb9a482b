import { z } from 'zod'
import { roles } from '../ids.ts'
import { common } from './common.ts'

export const healthCheckStep = {
  ...common,
  kind: z.literal('health-check'),
  roles: roles.default([]),
  onUnavailable: z.enum(['fail', 'exclude']).default('fail'),
}
