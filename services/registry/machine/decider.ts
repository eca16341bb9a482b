import { isDeepStrictEqual } from 'node:util'
import type { MachineCommand, MachineEvent, RemovalCause } from '#contracts/machine.ts'
import type { Probe } from '#contracts/probe.ts'
import { isRefusal, refuse, type Decider, type Decision } from '#libs/decider.ts'
import { nameFor, whyNot, type Neighbours } from './neighbours.ts'
import { sameSelf, sameSet, type Self } from './self.ts'

export interface Machine {
  readonly status: 'unknown' | 'registered' | 'removed'
  /** What a person decides. */
  readonly who: { readonly name: string; readonly environmentId: string; readonly roles: readonly string[] }
  /** What the machine says of itself. */
  readonly self: Self
  readonly publicKey: string | null
  readonly enrollmentId: string | null
  readonly disabled: boolean
  readonly quarantined: boolean
  /** How the server looks after it; null where it has an agent, or nobody does. */
  readonly probe: Probe | null
  /** The latest removal, also after the machine has returned. */
  readonly removal: RemovalCause | null
}

type Data<Type extends MachineCommand['type']> = Extract<MachineCommand, { type: Type }>['data']

/**
 * A machine that was removed keeps its id, its history and whether it was disabled; when it returns it is told why.
 * @param neighbours what the registry knows, when it decides, of environments and of other machines' names
 */
export const machineDecider = (neighbours: Neighbours): Decider<Machine, MachineCommand, MachineEvent> => ({
  initial,
  decide: (command, state) => decide(command, state, neighbours),
  evolve,
})

const initial: Machine = {
  status: 'unknown',
  who: { name: '', environmentId: '', roles: [] },
  self: { facts: null, attributes: {} },
  publicKey: null,
  enrollmentId: null,
  disabled: false,
  quarantined: false,
  probe: null,
  removal: null,
}

function decide({ type, data }: MachineCommand, state: Machine, neighbours: Neighbours): Decision<MachineEvent> {
  const { machineId } = data
  if (type === 'RegisterMachine') return register(data, state, neighbours)
  if (state.status === 'unknown') return refuse('MACHINE_UNKNOWN', `There is no machine ${machineId}.`)
  const removed = state.status === 'removed'

  switch (type) {
    case 'ReregisterMachine':
      return reregister(data, state, neighbours)
    case 'ChangeMachine':
      return removed ? gone(machineId, state) : change(data, state, neighbours)
    case 'SetMachineProbe':
      return removed ? gone(machineId, state) : probe(data, state)
    case 'QuarantineMachine':
      return removed || state.quarantined ? [] : [{ type: 'MachineQuarantined', data }]
    case 'ReleaseMachine':
      return state.quarantined ? [{ type: 'MachineReleased', data }] : []
    case 'EnableMachine':
      if (removed) return gone(machineId, state)
      return state.disabled ? [{ type: 'MachineEnabled', data }] : []
    case 'DisableMachine':
      if (removed) return gone(machineId, state)
      return state.disabled ? [] : [{ type: 'MachineDisabled', data }]
    case 'DeregisterMachine':
      return removed ? [] : [{ type: 'MachineDeregistered', data: { ...state.who, ...data } }]
    case 'RestoreMachine': {
      if (!removed) return refuse('MACHINE_NOT_REMOVED', `${machineId} is registered.`)
      const name = nameFor(machineId, state.who, neighbours)
      return [{ type: 'MachineRestored', data: { ...data, ...state.who, name } }]
    }
  }
}

function evolve(state: Machine, event: MachineEvent): Machine {
  switch (event.type) {
    case 'MachineRegistered': {
      const { publicKey, enrollmentId } = event.data
      return { ...state, status: 'registered', ...partsOf(event.data), publicKey, enrollmentId }
    }
    case 'MachineReregistered':
      return { ...state, self: selfOf(event.data) }
    case 'MachineChanged':
      return { ...state, who: whoOf(event.data) }
    case 'MachineProbeChanged':
      return { ...state, probe: event.data.probe }
    case 'MachineQuarantined':
      return { ...state, quarantined: true }
    case 'MachineReleased':
      return { ...state, quarantined: false }
    case 'MachineEnabled':
      return { ...state, disabled: false }
    case 'MachineDisabled':
      return { ...state, disabled: true }
    case 'MachineDeregistered':
      return { ...state, status: 'removed', removal: event.data.cause }
    case 'MachineRestored':
      return { ...state, status: 'registered', who: whoOf(event.data) }
  }
}

/** A machine with an agent says itself how it is. */
function probe(data: Data<'SetMachineProbe'>, state: Machine): Decision<MachineEvent> {
  if (data.probe !== null && state.publicKey !== null)
    return refuse('MACHINE_HAS_AGENT', `${data.machineId} has an agent, so it is not probed.`)
  return isDeepStrictEqual(data.probe, state.probe) ? [] : [{ type: 'MachineProbeChanged', data }]
}

const whoOf = ({ name, environmentId, roles }: Machine['who']) => ({ name, environmentId, roles })
const selfOf = ({ facts, attributes }: Self) => ({ facts, attributes })
const partsOf = (data: Machine['who'] & Self) => ({ who: whoOf(data), self: selfOf(data) })

const gone = (machineId: string, { removal }: Machine) =>
  refuse(
    'MACHINE_REMOVED',
    `${machineId} was removed (${removal?.kind}: ${removal?.reason}). Restore it, or enrol it with a new join token.`,
  )

/** A person or a join token brings the machine in, so it is welcome whatever had taken it out before. */
function register(data: Data<'RegisterMachine'>, state: Machine, neighbours: Neighbours): Decision<MachineEvent> {
  const { machineId, force, probe: given, ...registration } = data
  const publicKey = data.publicKey ?? state.publicKey
  const bound = state.publicKey !== null || state.status === 'registered'
  if (bound && publicKey !== state.publicKey) return otherKey(machineId)

  // What a machine says of itself, only the machine changes; a person may say it for one that has no agent.
  const bySelf = data.publicKey !== null || state.publicKey === null
  const self = bySelf ? selfAfter(data, state) : state.self

  if (state.status === 'registered') {
    const updated = update(machineId, self, state)
    if (!force) return updated
    const changed = change({ machineId, ...whoOf(data) }, state, neighbours)
    return isRefusal(changed) ? changed : [...updated, ...changed]
  }

  const returnedFrom = state.status === 'removed' ? state.removal : null
  if (isWithOldToken(data, state)) return gone(machineId, state)
  const name = returnedFrom === null ? data.name : nameFor(machineId, data, neighbours)
  const obstacle = whyNot(machineId, { ...data, name }, neighbours)
  if (obstacle !== null) return obstacle
  const probed = given === undefined ? [] : probe({ machineId, probe: given }, { ...state, publicKey })
  if (isRefusal(probed)) return probed
  return [
    { type: 'MachineRegistered', data: { machineId, ...registration, name, ...self, publicKey, returnedFrom } },
    ...probed,
  ]
}

const otherKey = (machineId: string) =>
  refuse('MACHINE_KEY_MISMATCH', `${machineId} is registered with another key. Deregister it, or use its own key.`)

/** Only what took the machine out for want of an answer lets it come back by itself. */
const returnsByItself: readonly (RemovalCause['kind'] | undefined)[] = ['policy', 'not-contactable']

/** A machine that somebody took out does not come back with the token that it has had all along; a new one is a new word. */
const isWithOldToken = ({ enrollmentId }: Data<'RegisterMachine'>, state: Machine): boolean =>
  state.status === 'removed' &&
  !returnsByItself.includes(state.removal?.kind) &&
  enrollmentId !== null &&
  enrollmentId === state.enrollmentId

/** The machine itself says that it is there. */
function reregister(data: Data<'ReregisterMachine'>, state: Machine, neighbours: Neighbours): Decision<MachineEvent> {
  const { machineId } = data
  const self = selfAfter(data, state)
  if (state.status === 'registered') return update(machineId, self, state)
  if (!returnsByItself.includes(state.removal?.kind)) return gone(machineId, state)

  const { who, publicKey, enrollmentId, removal: returnedFrom } = state
  const name = nameFor(machineId, who, neighbours)
  return [
    { type: 'MachineRegistered', data: { machineId, ...who, name, ...self, publicKey, enrollmentId, returnedFrom } },
  ]
}

const selfAfter = (said: Self, { self }: Machine): Self => ({
  facts: said.facts ?? self.facts,
  attributes: said.attributes,
})

const update = (machineId: string, self: Self, state: Machine): readonly MachineEvent[] =>
  sameSelf(self, state.self) ? [] : [{ type: 'MachineReregistered', data: { machineId, ...self } }]

function change(data: Data<'ChangeMachine'>, { who }: Machine, neighbours: Neighbours): Decision<MachineEvent> {
  const { name = who.name, environmentId = who.environmentId, roles = who.roles } = data
  const moved = name !== who.name || environmentId !== who.environmentId
  if (!moved && sameSet(roles, who.roles)) return []
  return (
    whyNot(data.machineId, { name, environmentId }, neighbours) ?? [
      { type: 'MachineChanged', data: { machineId: data.machineId, name, environmentId, roles } },
    ]
  )
}
