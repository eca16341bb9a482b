import { z } from 'zod'
import { duration } from '../units.ts'
import { common, minuteMs } from './common.ts'

export const approvalStep = {
  ...common,
  kind: z.literal('approval'),
  message: z.string().trim().min(1).max(500),
  timeLimitMs: duration.default(24 * 60 * minuteMs),
}
