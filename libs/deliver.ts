import type { ServiceName } from '#contracts/command.ts'
import type { Cause, Message, Recorded } from '#contracts/message.ts'
import type { Ask } from './ask.ts'
import { backoffMs } from './backoff.ts'
import { BusFault } from './bus/bus.ts'
import type { Clock } from './clock.ts'
import type { Log } from './log.ts'

/** A command that a reaction asks for, and the service that decides it. */
export interface Request extends Message {
  readonly service: ServiceName
}

export interface DeliveryLimits {
  /** Tries of one request before its event is parked. A service that is not there at all does not use them up. */
  readonly attemptsMax: number
  /** How long a request is tried, whatever is wrong. */
  readonly deadlineMs: number
  /** The wait after the first failure; it doubles up to the ceiling. */
  readonly baseMs: number
  readonly delayMaxMs: number
}

export const deliveryDefaults: DeliveryLimits = { attemptsMax: 5, deadlineMs: 120_000, baseMs: 100, delayMaxMs: 5_000 }

/** A request that got no answer, however often it was sent. */
export class Undelivered extends Error {
  override readonly name = 'Undelivered'
  readonly attempts: number
  constructor(attempts: number, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause })
    this.attempts = attempts
  }
}

export interface DeliveryOptions {
  /** The reactor's name. */
  readonly name: string
  readonly clock: Clock
  readonly log: Log
  readonly ask: Ask
}

/** The same fact always leads to the same command ids, so that a repeated reaction is answered and not carried out. */
const causeOf = (name: string, { meta }: Recorded, index: number): Cause => ({
  actor: `service:${name}`,
  commandId: `${name}:${meta.id}:${index}`,
  correlationId: meta.correlationId,
  causationId: meta.id,
})

/**
 * Sends the requests that follow from one event, in order, each until it is answered. A refusal is an answer.
 * @returns false when it was told to stop before everything was answered
 * @throws Undelivered when a request got no answer within the limits; those behind it were not sent
 */
export async function deliver(
  options: DeliveryOptions,
  limits: DeliveryLimits,
  event: Recorded,
  requests: readonly Request[],
  stop: AbortSignal,
): Promise<boolean> {
  for (const [index, request] of requests.entries()) {
    const answered = await deliverOne(options, limits, request, causeOf(options.name, event, index), stop)
    if (!answered) return false
  }
  return true
}

async function deliverOne(
  { name, clock, log, ask }: DeliveryOptions,
  limits: DeliveryLimits,
  { service, type, data }: Request,
  cause: Cause,
  stop: AbortSignal,
): Promise<boolean> {
  const deadlineMs = clock.steadyMs() + limits.deadlineMs
  let attempts = 0
  for (let failures = 1; !stop.aborted; failures++) {
    try {
      const answer = await ask(service, { type, data }, cause)
      if ('refused' in answer) log.debug({ reactor: name, service, type, ...answer }, 'a reaction was refused')
      return true
    } catch (error) {
      const isAbsent = error instanceof BusFault && error.reason === 'no-responders'
      if (!isAbsent) attempts += 1
      const pauseMs = backoffMs(clock, failures, limits)
      if (attempts >= limits.attemptsMax || clock.steadyMs() + pauseMs > deadlineMs)
        throw new Undelivered(failures, error)
      log.warn({ reactor: name, service, type, error, failures }, 'a reaction got no answer and is sent again')
      await clock.sleep(pauseMs, stop)
    }
  }
  return false
}
