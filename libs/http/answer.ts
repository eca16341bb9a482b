import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Answer } from '#contracts/command.ts'
import type { Cause } from '#contracts/message.ts'
import { Refused } from '../problem.ts'
import { sendProblem } from './errors.ts'
import { commandIdOf } from './idempotency.ts'

/**
 * The cause of a command that arrives over HTTP. Sent again with the same `Idempotency-Key`, by the same caller to the
 * same address, it gets the same command id, which the decider answers with what it answered before; with another body
 * it is refused.
 * @param actor who asks, where a route finds that out by itself; the principal unless told
 */
export function causeOf(request: FastifyRequest, actor?: string): Cause {
  const who = actor ?? request.principal?.id
  if (who === undefined) throw new Error(`${request.routeOptions.url} is public and does not say who acts`)
  const key = request.headers['idempotency-key']
  const commandId = key === undefined ? request.server.clock.id() : commandIdOf(key, who, request)
  return { actor: who, commandId, correlationId: request.id, causationId: null }
}

/**
 * Answers a command: its result and the position from which on readers see its effect, or the refusal as a problem.
 * @param status what an accepted command is answered with
 */
export function sendAnswer(
  reply: FastifyReply,
  answer: Answer,
  { status = 200 }: { status?: 200 | 201 | 202 } = {},
): void {
  if ('refused' in answer) return sendRefusal(reply, answer)
  const { position, result } = answer
  reply
    .code(status)
    .header('remuda-position', position)
    .send({ ...result, position })
}

/** Answers with a refusal, where a route has found it out by itself. */
export function sendRefusal(reply: FastifyReply, { refused, detail }: Extract<Answer, { refused: unknown }>): void {
  sendProblem(new Refused(refused, detail), reply.request, reply)
}
