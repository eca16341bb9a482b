import { returnsByItself, type MachineCommand, type MachineEvent } from '#contracts/machine.ts'
import { isRefusal, refuse, type Decision } from '#libs/decider.ts'
import { change, changeProbe, gone } from './changes.ts'
import { nameFor, whyNot, type Neighbours } from './neighbours.ts'
import { sameSelf, type Self } from './self.ts'
import { whoOf, type Machine } from './state.ts'

type Data<Type extends MachineCommand['type']> = Extract<MachineCommand, { type: Type }>['data']

/** A person or a join token brings the machine in, so it is welcome whatever had taken it out before. */
export function register(
  data: Data<'RegisterMachine'>,
  state: Machine,
  neighbours: Neighbours,
): Decision<MachineEvent> {
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
    const probed = given === undefined ? {} : { probe: given }
    const changed = change({ machineId, ...whoOf(data), ...probed }, state, neighbours)
    return isRefusal(changed) ? changed : [...updated, ...changed]
  }

  const returnedFrom = state.status === 'removed' ? state.removal : null
  if (isWithOldToken(data, state)) return gone(machineId, state)
  const name = returnedFrom === null ? data.name : nameFor(machineId, data, neighbours)
  const obstacle = whyNot(machineId, { ...data, name }, neighbours)
  if (obstacle !== null) return obstacle
  const probed = given === undefined ? [] : changeProbe({ machineId, probe: given }, { ...state, publicKey })
  if (isRefusal(probed)) return probed
  return [
    { type: 'MachineRegistered', data: { machineId, ...registration, name, ...self, publicKey, returnedFrom } },
    ...probed,
  ]
}

const otherKey = (machineId: string) =>
  refuse('MACHINE_KEY_MISMATCH', `${machineId} is registered with another key. Deregister it, or use its own key.`)

const mayReturn = ({ removal }: Machine) => removal !== null && returnsByItself(removal)

/** A machine that somebody took out does not come back with the token that it has had all along; a new one is a new word. */
const isWithOldToken = ({ enrollmentId }: Data<'RegisterMachine'>, state: Machine): boolean =>
  state.status === 'removed' && !mayReturn(state) && enrollmentId !== null && enrollmentId === state.enrollmentId

/** The machine itself says that it is there. */
export function reregister(
  data: Data<'ReregisterMachine'>,
  state: Machine,
  neighbours: Neighbours,
): Decision<MachineEvent> {
  const { machineId } = data
  const self = selfAfter(data, state)
  if (state.status === 'registered') return update(machineId, self, state)
  if (!mayReturn(state)) return gone(machineId, state)

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
