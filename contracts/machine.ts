import { z } from 'zod'
import { attributes, deploymentId, enrollmentId, environmentId, machineId, machineName, reason, roles } from './ids.ts'
import { fact, request } from './message.ts'
import { Probe } from './probe.ts'

const textMax = 200
const text = z.string().max(textMax)

/** What the machine knows of itself. Owned by the machine: each registration brings it up to date. */
export const MachineFacts = z
  .object({
    hostname: text,
    os: text,
    arch: text,
    agentVersion: text,
    cpus: z.number().int().nonnegative(),
    memoryBytes: z.number().nonnegative(),
    addresses: z.array(text).max(32).readonly(),
  })
  .readonly()
export type MachineFacts = z.infer<typeof MachineFacts>

/** Ed25519, as base64url of the 32 raw bytes. */
export const publicKey = z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'a public key is 32 bytes as base64url')

/** Who took the machine out, and why. Only what policy or a deployment's contact budget removed returns by itself. */
export const RemovalCause = z.object({
  kind: z.enum(['person', 'machine', 'policy', 'not-contactable', 'deployment']),
  reason: z.string(),
  decisionId: z.string().nullable(),
  deploymentId: deploymentId.nullable(),
})
export type RemovalCause = z.infer<typeof RemovalCause>

/** Only what took a machine out for want of an answer lets it come back by itself. */
export const returnsByItself = ({ kind }: Pick<RemovalCause, 'kind'>): boolean =>
  kind === 'policy' || kind === 'not-contactable'

const evidence = z.record(z.string(), z.unknown()).nullable()
const who = { machineId, name: machineName, environmentId, roles }
const self = { facts: MachineFacts.nullable(), attributes }

export const MachineCommand = z.discriminatedUnion('type', [
  request('RegisterMachine', {
    ...who,
    ...self,
    publicKey: publicKey.nullable(),
    enrollmentId: enrollmentId.nullable(),
    /** How the server looks after a machine that has no agent. */
    probe: Probe.nullable().optional(),
    /** True overwrites what a person set (name, environment, roles) on a machine that is already registered. */
    force: z.boolean(),
  }),
  request('ReregisterMachine', { machineId, ...self }),
  request('ChangeMachine', {
    machineId,
    name: machineName.optional(),
    roles: roles.optional(),
    environmentId: environmentId.optional(),
    probe: Probe.nullable().optional(),
  }),
  request('SetMachineProbe', { machineId, probe: Probe.nullable() }),
  /** Two sessions use the key of this machine: it must not work until a person has looked. */
  request('QuarantineMachine', { machineId, detail: reason }),
  request('ReleaseMachine', { machineId, reason }),
  request('EnableMachine', { machineId }),
  request('DisableMachine', { machineId, reason }),
  request('DeregisterMachine', {
    machineId,
    cause: RemovalCause.strict(),
    evidence,
    policyVersion: z.number().nullable(),
  }),
  request('RestoreMachine', { machineId, reason }),
])
export type MachineCommand = z.infer<typeof MachineCommand>

// These shapes are stored for ever: add an event type, never rename or repurpose one.
export const MachineEvent = z.discriminatedUnion('type', [
  fact('MachineRegistered', {
    ...who,
    ...self,
    publicKey: publicKey.nullable(),
    enrollmentId: enrollmentId.nullable(),
    /** Set when the machine had been removed before: it keeps its id and history, and is told why it was removed. */
    returnedFrom: RemovalCause.nullable(),
  }),
  fact('MachineReregistered', { machineId, ...self }),
  fact('MachineChanged', who),
  fact('MachineProbeChanged', { machineId, probe: Probe.nullable() }),
  fact('MachineQuarantined', { machineId, detail: z.string() }),
  fact('MachineReleased', { machineId, reason: z.string() }),
  fact('MachineEnabled', { machineId }),
  fact('MachineDisabled', { machineId, reason: z.string() }),
  fact('MachineDeregistered', {
    ...who,
    cause: RemovalCause,
    evidence,
    policyVersion: z.number().nullable(),
  }),
  fact('MachineRestored', { ...who, reason: z.string() }),
])
export type MachineEvent = z.infer<typeof MachineEvent>
