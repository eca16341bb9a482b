import type { MachineCommand, MachineEvent } from '#contracts/machine.ts'
import { refuse, type Decider, type Decision } from '#libs/decider.ts'
import { change, changeProbe, gone } from './changes.ts'
import { nameFor, type Neighbours } from './neighbours.ts'
import { register, reregister } from './registration.ts'
import { evolve, initial, type Machine } from './state.ts'

/**
 * A machine that was removed keeps its id, its history and whether it was disabled; when it returns it is told why.
 * @param neighbours what the registry knows, when it decides, of environments and of other machines' names
 */
export const machineDecider = (neighbours: Neighbours): Decider<Machine, MachineCommand, MachineEvent> => ({
  initial,
  decide: (command, state) => decide(command, state, neighbours),
  evolve,
})

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
      return removed ? gone(machineId, state) : changeProbe(data, state)
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
