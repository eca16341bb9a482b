import { z } from 'zod'
import type { Answer, ServiceName } from '#contracts/command.ts'
import type { Cause, Message } from '#contracts/message.ts'
import { allCommandsOf, commandSubject } from '#contracts/subjects.ts'
import { BusFault, type Bus, type Subscription } from './bus/bus.ts'
import { refuse } from './decider.ts'

const issuesMax = 5

/** Sends a command to the service that decides it. A refusal is an answer; a throw (`BusFault`) is a fault. */
export type Ask = (service: ServiceName, command: Message, cause: Cause) => Promise<Answer>

/**
 * @param timeoutMs how long to wait for an answer. After a timeout the command may or may not have been carried out:
 *   asking again with the same command id is safe.
 */
export const createAsk =
  (bus: Bus, { timeoutMs }: { timeoutMs: number }): Ask =>
  async (service, command, cause) => {
    const answer = await bus.request(commandSubject(service, command.type), { command, cause }, { timeoutMs })
    if (isAnswer(answer)) return answer
    throw new BusFault('failed', `${service} gave no answer that can be read to ${command.type}`)
  }

const isAnswer = (answer: unknown): answer is Answer =>
  typeof answer === 'object' && answer !== null && ('accepted' in answer || 'refused' in answer)

/** One handler for every command type of the service, and the compiler says which is missing. */
export type CommandHandlers<Command extends Message> = {
  readonly [Type in Command['type']]: (command: Extract<Command, { type: Type }>, cause: Cause) => Promise<Answer>
}

const Envelope = z.strictObject({
  command: z.looseObject({ type: z.string() }),
  cause: z.strictObject({
    actor: z.string().min(1),
    commandId: z.string().min(1),
    correlationId: z.string().min(1),
    causationId: z.string().min(1).nullable(),
  }),
})

/**
 * Answers the commands of a service, whichever process asks; replicas share them out.
 * @param schema the union of the service's commands; what does not fit is refused as REQUEST_INVALID, field by field
 */
export function answerCommands<Command extends Message>(
  bus: Bus,
  service: ServiceName,
  handlers: CommandHandlers<Command>,
  schema: z.ZodType<Command>,
): Subscription {
  const answer = async (payload: unknown): Promise<Answer> => {
    const envelope = Envelope.safeParse(payload)
    if (!envelope.success) return refuse('REQUEST_INVALID', complaint(envelope.error))

    const { command, cause } = envelope.data
    if (!Object.hasOwn(handlers, command.type))
      return refuse(
        'REQUEST_INVALID',
        `type: ${service} takes no ${command.type}, only ${Object.keys(handlers).join(', ')}`,
      )

    const parsed = schema.safeParse(command)
    if (!parsed.success) return refuse('REQUEST_INVALID', complaint(parsed.error))
    const handle = handlers[command.type as Command['type']] as (command: Command, cause: Cause) => Promise<Answer>
    return handle(parsed.data, cause)
  }
  return bus.respond(allCommandsOf(service), ({ payload }) => answer(payload), { queue: service })
}

/** Names each field that is wrong and says how, for people. */
const complaint = ({ issues }: z.ZodError): string =>
  issues
    .slice(0, issuesMax)
    .map(({ path, message }) => `${path.join('.') || 'command'}: ${message}`)
    .join('; ')
