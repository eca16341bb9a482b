import type { Answer } from '#contracts/command.ts'
import { isRefusal, type Refusal } from '#libs/decider.ts'

/** What was handled, as the answer to a command. */
export const answered = (
  handled: { readonly position: number } | Refusal,
  result: Readonly<Record<string, unknown>>,
): Answer => (isRefusal(handled) ? handled : { accepted: true, position: handled.position, result })
