import type { AcceptedAnswer, Answer } from '#contracts/command.ts'
import type { MachineEvent } from '#contracts/machine.ts'
import type { Cause, Message, Recorded } from '#contracts/message.ts'
import { isRefusal } from '#libs/decider.ts'
import type { Handler } from '#libs/handle.ts'
import type { Machine } from './machine/state.ts'

/**
 * Hands a command to its aggregate and answers it.
 * @param tell what the answer says of the aggregate as it is now, whether the command changed it or not, and of what the command recorded
 */
export async function answerFrom<State, Command, Event extends Message>(
  handler: Handler<State, Command, Event>,
  stream: string,
  command: Command,
  cause: Cause,
  tell: (state: State, facts: readonly Recorded<Event>[]) => AcceptedAnswer['result'],
): Promise<Answer> {
  const handled = await handler.handle(stream, command, cause)
  if (isRefusal(handled)) return handled
  const { state } = await handler.load(stream)
  return { accepted: true, position: handled.position, result: tell(state, handled.facts) }
}

/** What is said of a machine; `returnedFrom` is why it had been removed, when the command has just brought it back. */
export const tellMachine =
  (machineId: string) =>
  ({ who }: Machine, facts: readonly MachineEvent[]) => {
    const registration = facts.find((fact) => fact.type === 'MachineRegistered')
    return { machineId, ...who, returnedFrom: registration?.data.returnedFrom ?? null }
  }
