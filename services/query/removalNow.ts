import { z } from 'zod'
import type { Cause } from '#contracts/message.ts'
import type { Ask } from '#libs/ask.ts'
import { BusFault } from '#libs/bus/bus.ts'
import type { Clock } from '#libs/clock.ts'
import { within } from './within.ts'

/** How long an explanation waits for the policy, which may be stopped or busy. */
const askMs = 3_000

/** What the policy would say of the machine's removal at this moment; or null, and why it did not say. */
export const RemovalNow = z.object({
  clauses: z.record(z.string(), z.unknown()).nullable(),
  reason: z.string().nullable(),
})
type RemovalNow = z.infer<typeof RemovalNow>

const silentPolicy = (reason: string): RemovalNow => ({ clauses: null, reason })

/** Asks the policy which clauses speak for and against removing a machine now. An explanation does not fail for want of it. */
export async function askAboutRemoval(ask: Ask, clock: Clock, machineId: string, cause: Cause): Promise<RemovalNow> {
  try {
    const asked = ask('policy', { type: 'ExplainRemoval', data: { machineId } }, cause)
    const answer = await within(clock, askMs, asked)
    if (answer === null) return silentPolicy(`the policy did not answer within ${askMs} ms`)
    return 'refused' in answer ? silentPolicy(answer.detail) : { clauses: answer.result, reason: null }
  } catch (error) {
    if (!(error instanceof BusFault)) throw error
    return silentPolicy('the policy does not answer')
  }
}
