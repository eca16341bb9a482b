import { z } from 'zod'

export const rolesMax = 32
export const machinesMax = 10_000
export const reasonCharsMax = 500
const attributesMax = 64
const attributeCharsMax = 256

const slugPattern = /^[a-z0-9][a-z0-9-]{0,62}$/
const slug = (what: string) =>
  z.string().regex(slugPattern, `${what} takes 1 to 63 lower-case letters, digits and dashes, and starts with no dash`)

export const environmentId = slug('an environment id')
export const projectId = slug('a project id')
export const machineId = slug('a machine id')
export const stepId = slug('a step id')
export const deploymentId = z.uuid()
/** Names one decision of the policy, which may be about many machines. */
export const decisionId = z.string().min(1).max(100)
export const enrollmentId = slug('an enrolment id')
export const tokenId = slug('a token id')
export const webhookId = slug('a webhook id')

export const displayName = z.string().trim().min(1).max(100)
export const machineName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'a machine name takes 1 to 63 letters, digits, dots, dashes, underscores')
export const role = slug('a role')
export const roles = z
  .array(role)
  .max(rolesMax)
  .refine((all) => new Set(all).size === all.length, 'a role is named twice')
  .readonly()
export const version = z
  .string()
  .regex(/^[0-9A-Za-z][0-9A-Za-z.+_-]{0,63}$/, 'a version looks like 1.4.0, 2026.11.23 or 1.0.0-rc.1')
export const reason = z.string().trim().min(1).max(reasonCharsMax)

/** What a machine says of itself beyond the known facts, such as its zone. Failure domains are read from here. */
export const attributes = z
  .record(z.string().min(1).max(attributeCharsMax), z.string().max(attributeCharsMax))
  .refine((all) => Object.keys(all).length <= attributesMax, `at most ${attributesMax} attributes`)
  .readonly()

/** Milliseconds since 1970 by the steady clock of the writer: fit for durations, not for showing. */
export const instantMs = z.number().int().nonnegative()
export const durationMs = z.number().int().nonnegative()
