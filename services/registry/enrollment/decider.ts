import { Set } from 'immutable'
import type { EnrollmentCommand, EnrollmentEvent } from '#contracts/enrollment.ts'
import { refuse, type Decider, type Decision } from '#libs/decider.ts'

export interface Enrollment {
  readonly status: 'unknown' | 'open' | 'revoked'
  readonly environmentId: string
  readonly roles: readonly string[]
  readonly secretHash: string
  readonly expiresAt: number
  readonly usesMax: number
  readonly usedBy: Set<string>
}

type Use = Extract<EnrollmentCommand, { type: 'UseEnrollment' }>['data']

/** @param environmentExists what the registry knows of environments when it decides */
export const enrollmentDecider = (
  environmentExists: (environmentId: string) => boolean,
): Decider<Enrollment, EnrollmentCommand, EnrollmentEvent> => ({
  initial: { status: 'unknown', environmentId: '', roles: [], secretHash: '', expiresAt: 0, usesMax: 0, usedBy: Set() },

  decide({ type, data }, state) {
    switch (type) {
      case 'CreateEnrollment':
        if (state.status !== 'unknown') return []
        if (environmentExists(data.environmentId)) return [{ type: 'EnrollmentCreated', data }]
        return refuse('ENVIRONMENT_UNKNOWN', `There is no environment ${data.environmentId}.`)

      case 'UseEnrollment':
        return use(data, state)

      case 'RevokeEnrollment':
        if (state.status === 'unknown') return unknown
        return state.status === 'revoked' ? [] : [{ type: 'EnrollmentRevoked', data }]
    }
  },

  evolve(state, event) {
    switch (event.type) {
      case 'EnrollmentCreated': {
        const { environmentId, roles, secretHash, expiresAt, usesMax } = event.data
        return { status: 'open', environmentId, roles, secretHash, expiresAt, usesMax, usedBy: Set() }
      }
      case 'EnrollmentUsed':
        return { ...state, usedBy: state.usedBy.add(event.data.machineId) }
      case 'EnrollmentRevoked':
        return { ...state, status: 'revoked' }
    }
  },
})

/** An unknown token and a wrong secret get the same answer, so that nobody learns which tokens exist. */
const unknown = refuse('ENROLLMENT_UNKNOWN', 'There is no such join token. Ask for a new one.')

function use(data: Use, state: Enrollment): Decision<EnrollmentEvent> {
  const { enrollmentId, machineId, roles, usedAt } = data
  if (state.status === 'unknown' || !sameHash(data.secretHash, state.secretHash)) return unknown
  if (state.status === 'revoked') return refuse('ENROLLMENT_REVOKED', 'The join token was revoked. Ask for a new one.')
  if (usedAt >= state.expiresAt) return refuse('ENROLLMENT_EXPIRED', 'The join token has expired. Ask for a new one.')

  const outside = roles.filter((role) => !state.roles.includes(role))
  if (outside.length > 0)
    return refuse('ENROLLMENT_SCOPE', `The join token does not allow ${outside.join(', ')}, only ${allowed(state)}.`)

  // A machine that asks again, since it was cut off before it got its answer, uses nothing up.
  if (state.usedBy.has(machineId)) return []
  if (state.usedBy.size >= state.usesMax)
    return refuse('ENROLLMENT_USED_UP', `The join token was good for ${state.usesMax} and has been used by as many.`)
  return [{ type: 'EnrollmentUsed', data: { enrollmentId, machineId } }]
}

const allowed = ({ roles }: Enrollment) => (roles.length > 0 ? roles.join(', ') : 'no role at all')

/** Looks at every digit whatever it finds, so that the time taken tells nothing of how nearly the hashes are the same. */
function sameHash(given: string, stored: string): boolean {
  let difference = given.length ^ stored.length
  for (let at = 0; at < stored.length; at++) difference |= stored.charCodeAt(at) ^ given.charCodeAt(at % given.length)
  return difference === 0
}
