import { z } from 'zod'
import { displayName, environmentId, projectId, reason, roles, version } from './ids.ts'
import { fact, request } from './message.ts'
import { PinnedPackages } from './steps/package.ts'
import { SecretReference, StoredProcess, StoredVariables, variableName, WantedVariables } from './process.ts'
import { WrittenProcess } from './writtenProcess.ts'

export const ProjectCommand = z.discriminatedUnion('type', [
  request('CreateProject', { projectId, name: displayName }),
  request('RenameProject', { projectId, name: displayName }),
  request('ChangeProcess', {
    projectId,
    process: WrittenProcess,
    expectedVersion: z.number().int().nullable(),
  }),
  request('ChangeVariables', {
    projectId,
    variables: WantedVariables,
    expectedVersion: z.number().int().nullable().default(null),
  }),
  /** Makes every value that the sensitive variables of this name ever had unreadable, in releases and backups too. */
  request('DestroyVariable', { projectId, name: variableName }),
  /** Pins the release that machines of the environment should have; null goes back to the last success. */
  request('SetReleaseOverride', { projectId, environmentId, version: version.nullable(), reason }),
])
export type ProjectCommand = z.infer<typeof ProjectCommand>

const names = z.array(z.string()).readonly()
const secret = { projectId, ...SecretReference.shape, name: z.string() }

// These shapes are stored for ever: add an event type, never rename or repurpose one.
export const ProjectEvent = z.discriminatedUnion('type', [
  fact('ProjectCreated', { projectId, name: z.string() }),
  fact('ProjectRenamed', { projectId, name: z.string() }),
  fact('ProcessChanged', { projectId, process: StoredProcess, processVersion: z.number() }),
  fact('VariablesChanged', { projectId, variables: StoredVariables }),
  fact('SecretSet', {
    ...secret,
    scope: z.object({ environments: names, roles: names, machines: names, steps: names }).readonly(),
  }),
  /** No value up to this version can be read any more. */
  fact('SecretDestroyed', secret),
  fact('ReleaseOverrideSet', {
    projectId,
    environmentId,
    version: version.nullable(),
    reason: z.string(),
  }),
])
export type ProjectEvent = z.infer<typeof ProjectEvent>

export const ReleaseCommand = z.discriminatedUnion('type', [
  request('CreateRelease', { projectId, version, notes: z.string().max(10_000) }),
])
export type ReleaseCommand = z.infer<typeof ReleaseCommand>

/** A release is an immutable snapshot: what is deployed under this version never changes. */
export const ReleaseEvent = z.discriminatedUnion('type', [
  fact('ReleaseCreated', {
    projectId,
    version,
    notes: z.string(),
    process: StoredProcess,
    processVersion: z.number(),
    variables: StoredVariables,
    /** The roles that its steps on targets name; empty: every machine of the environment is a target. */
    targetRoles: roles,
    /** What its package steps bring, to the byte. Those of older versions have none. */
    packages: PinnedPackages.optional(),
  }),
])
export type ReleaseEvent = z.infer<typeof ReleaseEvent>
