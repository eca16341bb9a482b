import { z } from 'zod'
import { attributes, enrollmentId, environmentId, instantMs, machineId, machineName, reason, roles } from './ids.ts'
import { MachineFacts, publicKey } from './machine.ts'
import { fact, request } from './message.ts'

export const usesMax = 10_000

export const EnrollmentCommand = z.discriminatedUnion('type', [
  request('CreateEnrollment', {
    enrollmentId,
    environmentId,
    /** The roles that a machine may take with this token; it gets all of them when it asks for none. */
    roles,
    secretHash: z.string(),
    expiresAt: instantMs,
    usesMax: z.number().int().min(1).max(usesMax),
  }),
  request('UseEnrollment', {
    enrollmentId,
    secretHash: z.string(),
    machineId,
    roles,
    usedAt: instantMs,
  }),
  request('RevokeEnrollment', { enrollmentId, reason }),
])
export type EnrollmentCommand = z.infer<typeof EnrollmentCommand>

/**
 * Asked of the registry by a gateway that has verified the machine's proof of its key: uses the join token and registers
 * the machine in the token's environment. Accepted with `{ machineId, environmentId, name }` as its result.
 */
export const EnrollMachine = request('EnrollMachine', {
  enrollmentId,
  secretHash: z.string(),
  machineId,
  name: machineName,
  /** The roles wanted, a part of what the token allows; empty: all of them. */
  roles,
  publicKey,
  facts: MachineFacts,
  attributes,
})
export type EnrollMachine = z.infer<typeof EnrollMachine>

// These shapes are stored for ever: add an event type, never rename or repurpose one.
export const EnrollmentEvent = z.discriminatedUnion('type', [
  fact('EnrollmentCreated', {
    enrollmentId,
    environmentId,
    roles,
    secretHash: z.string(),
    expiresAt: instantMs,
    usesMax: z.number(),
  }),
  fact('EnrollmentUsed', { enrollmentId, machineId }),
  fact('EnrollmentRevoked', { enrollmentId, reason: z.string() }),
])
export type EnrollmentEvent = z.infer<typeof EnrollmentEvent>
