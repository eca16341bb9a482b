import type { Answer } from '#contracts/command.ts'
import type { EnrollMachine } from '#contracts/enrollment.ts'
import type { Cause } from '#contracts/message.ts'
import { enrollmentStream, machineStream } from '#contracts/subjects.ts'
import { isRefusal } from '#libs/decider.ts'
import { answerFrom, tellMachine } from '../answer.ts'
import type { Handlers } from '../handlers.ts'

/**
 * Lets a machine in with a join token: the token is used, then the machine is registered. Either step done twice is done
 * once, so whoever was cut off between them asks again.
 * @param usedAt the moment at which the token's expiry is judged, in milliseconds since 1970
 */
export async function enroll(
  { enrollments, machines }: Handlers,
  { data }: EnrollMachine,
  cause: Cause,
  usedAt: number,
): Promise<Answer> {
  const { enrollmentId, secretHash, machineId, name, roles, publicKey, facts, attributes } = data
  const stream = enrollmentStream(enrollmentId)
  const use = { type: 'UseEnrollment', data: { enrollmentId, secretHash, machineId, roles, usedAt } } as const
  const used = await enrollments.handle(stream, use, cause)
  if (isRefusal(used)) return used

  const { state: allowed } = await enrollments.load(stream)
  const registration = {
    machineId,
    name,
    environmentId: allowed.environmentId,
    roles: roles.length > 0 ? roles : allowed.roles,
    facts,
    attributes,
    publicKey,
    enrollmentId,
    force: false,
  }
  const register = { type: 'RegisterMachine', data: registration } as const
  return answerFrom(machines, machineStream(machineId), register, cause, tellMachine(machineId))
}
