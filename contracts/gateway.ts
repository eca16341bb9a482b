import { z } from 'zod'
import { machineId } from './ids.ts'
import { request } from './message.ts'

/** What a gateway is asked. It holds no truth, so nothing is recorded. */
export const GatewayCommand = z.discriminatedUnion('type', [
  /** Whether the machine answers at this moment. Accepted with a `PingResult`, whether it does or not. */
  request('PingMachine', { machineId }),
])
export type GatewayCommand = z.infer<typeof GatewayCommand>

export const PingResult = z.object({
  /** Whether the machine has a session. A machine without one cannot be asked. */
  connected: z.boolean(),
  answered: z.boolean(),
  roundTripMs: z.number().nonnegative().nullable(),
})
export type PingResult = z.infer<typeof PingResult>
