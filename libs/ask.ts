import type { z } from 'zod'
import { CommandEnvelope, type Answer, type ServiceName } from '#contracts/command.ts'
import type { Cause, Message } from '#contracts/message.ts'
import { partitionOf } from '#contracts/partitions.ts'
import { allCommandsOf, commandSubject } from '#contracts/subjects.ts'
import { backoffMs } from './backoff.ts'
import { BusFault, type Bus, type Subscription } from './bus/bus.ts'
import type { Clock } from './clock.ts'
import { refuse } from './decider.ts'
import { Fenced } from './store/store.ts'

const issuesMax = 5

/**
 * Sends a command to the service that decides it. A refusal is an answer; a throw (`BusFault`) is a fault.
 * @param to which process of the service, where not every one can answer
 */
export type Ask = (service: ServiceName, command: Message, cause: Cause, to?: string) => Promise<Answer>

export interface AskOptions {
  /**
   * How long to wait for an answer. After a timeout the command may or may not have been carried out: asking again with
   * the same command id is safe.
   */
  readonly timeoutMs: number
  /** The same for commands that take longer, by type: questions over which somebody has to think. */
  readonly timeoutsMs?: Readonly<Record<string, number>>
  /** Into how many parts the work of services is cut that can be shared out: each part answers for its machines. */
  readonly partitions?: number
  /**
   * For how long a command is sent again that nobody has answered: its service may be about to be taken over by another
   * process. It keeps its id, so it is carried out once. Without patience the fault comes at once.
   */
  readonly patience?: { readonly clock: Clock; readonly patienceMs: number }
}

const patienceBackoff = { baseMs: 50, delayMaxMs: 500 }

export function createAsk(bus: Bus, { timeoutMs, timeoutsMs = {}, partitions = 1, patience }: AskOptions): Ask {
  const askOnce = (subject: string, payload: CommandEnvelope): Promise<unknown> =>
    bus
      .request(subject, payload, { timeoutMs: timeoutsMs[payload.command.type] ?? timeoutMs })
      .catch((error: unknown) => {
        if (error instanceof BusFault) return error
        throw error
      })
  const askPatiently = async (subject: string, payload: CommandEnvelope, deadlineMs: number): Promise<unknown> => {
    for (let failures = 1; ; failures++) {
      const answer = await askOnce(subject, payload)
      if (!patience || !isUnanswered(answer)) return answer
      const pauseMs = backoffMs(patience.clock, failures, patienceBackoff)
      if (patience.clock.steadyMs() + pauseMs > deadlineMs) return answer
      await patience.clock.sleep(pauseMs)
    }
  }
  return async (service, command, cause, to = partOf(service, command, partitions)) => {
    // A gateway that is gone does not come back under its name.
    const patienceMs = service === 'gateway' ? 0 : (patience?.patienceMs ?? 0)
    const deadlineMs = (patience?.clock.steadyMs() ?? 0) + patienceMs
    const answer = await askPatiently(commandSubject(service, command.type, to), { command, cause }, deadlineMs)
    if (answer instanceof BusFault) throw answer
    if (isAnswer(answer)) return answer
    throw new BusFault('failed', `${service} gave no answer that can be read to ${command.type}`)
  }
}

/** Nobody was there, or the answer did not come, or whoever was there may not answer any more. */
const isUnanswered = (answer: unknown): boolean =>
  answer instanceof BusFault
    ? answer.reason === 'no-responders' || answer.reason === 'timeout'
    : isAnswer(answer) && 'refused' in answer && answer.refused === 'SERVICE_UNAVAILABLE'

/** Of health, only the process that listens to a machine can speak of it. */
function partOf(service: ServiceName, { data }: Message, partitions: number): string | undefined {
  if (service !== 'health') return undefined
  const { machineId } = data as { readonly machineId?: unknown }
  return String(typeof machineId === 'string' ? partitionOf(machineId, partitions) : 0)
}

const isAnswer = (answer: unknown): answer is Answer =>
  typeof answer === 'object' && answer !== null && ('accepted' in answer || 'refused' in answer)

/** One handler for every command type of the service, and the compiler says which is missing. */
export type CommandHandlers<Command extends Message> = {
  readonly [Type in Command['type']]: (command: Extract<Command, { type: Type }>, cause: Cause) => Promise<Answer>
}

/**
 * Answers the commands of a service, whichever process asks; replicas share them out.
 * @param schema the union of the service's commands; what does not fit is refused as REQUEST_INVALID, field by field
 * @param to answers only what is for this process, or for this part of the service's work
 */
export function answerCommands<Command extends Message>(
  bus: Bus,
  service: ServiceName,
  handlers: CommandHandlers<Command>,
  schema: z.ZodType<Command>,
  to?: string,
): Subscription {
  const answer = async (payload: unknown): Promise<Answer> => {
    const envelope = CommandEnvelope.safeParse(payload)
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
    return handle(parsed.data, cause).catch((error: unknown) => {
      // Who was held up may learn only now that another process has taken the work over.
      if (error instanceof Fenced) return refuse('SERVICE_UNAVAILABLE', 'another process does this by now; ask again')
      throw error
    })
  }
  return bus.respond(allCommandsOf(service, to), ({ payload }) => answer(payload), { queue: service })
}

/** Names each field that is wrong and says how, for people. */
const complaint = ({ issues }: z.ZodError): string =>
  issues
    .slice(0, issuesMax)
    .map(({ path, message }) => `${path.join('.') || 'command'}: ${message}`)
    .join('; ')
