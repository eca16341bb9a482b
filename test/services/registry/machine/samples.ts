import type { MachineCommand, MachineEvent, RemovalCause } from '#contracts/machine.ts'
import type { Neighbours } from '#services/registry/machine/neighbours.ts'

type Data<Type extends MachineCommand['type']> = Extract<MachineCommand, { type: Type }>['data']
type Fact<Type extends MachineEvent['type']> = Extract<MachineEvent, { type: Type }>['data']

export const machineId = 'm-1'
export const key = 'k'.repeat(43)
export const otherKey = 'o'.repeat(43)
export const facts = {
  hostname: 'h',
  os: 'linux',
  arch: 'x64',
  agentVersion: '1',
  cpus: 2,
  memoryBytes: 1,
  addresses: [],
}

/** Nobody else is there, and there are the environments `staging` and `production`. */
export const alone: Neighbours = {
  environmentExists: (id) => id === 'staging' || id === 'production',
  holderOf: () => undefined,
}
export const besides = (taken: Record<string, string>): Neighbours => ({ ...alone, holderOf: (_, name) => taken[name] })

const who = { machineId, name: 'web', environmentId: 'staging', roles: ['web'] }
const self = { facts, attributes: { zone: 'a' } }
export const cause = (kind: RemovalCause['kind'] = 'policy'): RemovalCause => ({
  kind,
  reason: 'silent for 10 min',
  decisionId: null,
  deploymentId: null,
})

export const register = (changes: Partial<Data<'RegisterMachine'>> = {}): MachineCommand => ({
  type: 'RegisterMachine',
  data: { ...who, ...self, publicKey: key, enrollmentId: null, force: false, ...changes },
})
export const reregister = (changes: Partial<Data<'ReregisterMachine'>> = {}): MachineCommand => ({
  type: 'ReregisterMachine',
  data: { machineId, ...self, ...changes },
})
export const change = (changes: object): MachineCommand => ({ type: 'ChangeMachine', data: { machineId, ...changes } })
export const enable: MachineCommand = { type: 'EnableMachine', data: { machineId } }
export const disable: MachineCommand = { type: 'DisableMachine', data: { machineId, reason: 'repair' } }
export const deregister = (kind?: RemovalCause['kind']): MachineCommand => ({
  type: 'DeregisterMachine',
  data: { machineId, cause: cause(kind), evidence: { silentMs: 600_000 }, policyVersion: 3 },
})
export const restore: MachineCommand = { type: 'RestoreMachine', data: { machineId, reason: 'too early' } }

export const registered = (changes: Partial<Fact<'MachineRegistered'>> = {}): MachineEvent => ({
  type: 'MachineRegistered',
  data: { ...who, ...self, publicKey: key, enrollmentId: null, returnedFrom: null, ...changes },
})
export const reregistered = (changes: object): MachineEvent => ({
  type: 'MachineReregistered',
  data: { machineId, ...self, ...changes },
})
export const changed = (changes: object): MachineEvent => ({ type: 'MachineChanged', data: { ...who, ...changes } })
export const enabled: MachineEvent = { type: 'MachineEnabled', data: { machineId } }
export const disabled: MachineEvent = { type: 'MachineDisabled', data: { machineId, reason: 'repair' } }
export const removed = (kind?: RemovalCause['kind'], changes: object = {}): MachineEvent => ({
  type: 'MachineDeregistered',
  data: { ...who, cause: cause(kind), evidence: { silentMs: 600_000 }, policyVersion: 3, ...changes },
})
export const restored = (changes: object = {}): MachineEvent => ({
  type: 'MachineRestored',
  data: { ...who, reason: 'too early', ...changes },
})

const tcp = { kind: 'tcp', host: '10.0.0.7', port: 5432 } as const
export const probed: MachineEvent = { type: 'MachineProbeChanged', data: { machineId, probe: tcp } }
export const setProbe: MachineCommand = { type: 'SetMachineProbe', data: { machineId, probe: tcp } }
export const quarantine: MachineCommand = { type: 'QuarantineMachine', data: { machineId, detail: 'two' } }
export const quarantined: MachineEvent = { type: 'MachineQuarantined', data: { machineId, detail: 'two' } }
export const release: MachineCommand = { type: 'ReleaseMachine', data: { machineId, reason: 'the copy is gone' } }
export const released: MachineEvent = { type: 'MachineReleased', data: { machineId, reason: 'the copy is gone' } }
export const probe = tcp
