import { z } from 'zod'
import { displayName, environmentId } from './ids.ts'
import { fact, request } from './message.ts'
import { EnvironmentPolicy, PolicySettings } from './policySettings.ts'

export const EnvironmentCommand = z.discriminatedUnion('type', [
  request('CreateEnvironment', {
    environmentId,
    name: displayName,
    policy: PolicySettings.optional(),
  }),
  request('RenameEnvironment', { environmentId, name: displayName }),
  request('ChangeEnvironmentPolicy', {
    environmentId,
    policy: PolicySettings,
    /** The policy version the change was made from; null changes whatever stands. */
    expectedPolicyVersion: z.number().int().positive().nullable(),
  }),
])
export type EnvironmentCommand = z.infer<typeof EnvironmentCommand>

// These shapes are stored for ever: add an event type, never rename or repurpose one.
export const EnvironmentEvent = z.discriminatedUnion('type', [
  fact('EnvironmentCreated', {
    environmentId,
    name: z.string(),
    policy: EnvironmentPolicy,
    policyVersion: z.number(),
  }),
  fact('EnvironmentRenamed', { environmentId, name: z.string() }),
  fact('EnvironmentPolicyChanged', {
    environmentId,
    policy: EnvironmentPolicy,
    policyVersion: z.number(),
  }),
])
export type EnvironmentEvent = z.infer<typeof EnvironmentEvent>
