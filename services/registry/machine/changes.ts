import type { MachineCommand, MachineEvent } from '#contracts/machine.ts'
import { isRefusal, refuse, type Decision } from '#libs/decider.ts'
import { whyNot, type Neighbours } from './neighbours.ts'
import { sameProbe, sameSet } from './self.ts'
import type { Machine } from './state.ts'

type Data<Type extends MachineCommand['type']> = Extract<MachineCommand, { type: Type }>['data']

/** What a person changes of a machine, all of it or nothing. */
export function change(data: Data<'ChangeMachine'>, state: Machine, neighbours: Neighbours): Decision<MachineEvent> {
  const { machineId, probe, ...who } = data
  const changed = changeWho({ machineId, ...who }, state, neighbours)
  if (isRefusal(changed) || probe === undefined) return changed
  const probed = changeProbe({ machineId, probe }, state)
  return isRefusal(probed) ? probed : [...changed, ...probed]
}

function changeWho(
  data: Omit<Data<'ChangeMachine'>, 'probe'>,
  { who }: Machine,
  neighbours: Neighbours,
): Decision<MachineEvent> {
  const { name = who.name, environmentId = who.environmentId, roles = who.roles } = data
  const moved = name !== who.name || environmentId !== who.environmentId
  if (!moved && sameSet(roles, who.roles)) return []
  return (
    whyNot(data.machineId, { name, environmentId }, neighbours) ?? [
      { type: 'MachineChanged', data: { machineId: data.machineId, name, environmentId, roles } },
    ]
  )
}

/** A machine with an agent says itself how it is. */
export function changeProbe(data: Data<'SetMachineProbe'>, state: Machine): Decision<MachineEvent> {
  if (data.probe !== null && state.publicKey !== null)
    return refuse('MACHINE_HAS_AGENT', `${data.machineId} has an agent, so it is not probed.`)
  return sameProbe(data.probe, state.probe) ? [] : [{ type: 'MachineProbeChanged', data }]
}

/** What is asked of a machine that has been removed cannot be done. */
export const gone = (machineId: string, { removal }: Machine) =>
  refuse(
    'MACHINE_REMOVED',
    `${machineId} was removed (${removal?.kind}: ${removal?.reason}). Restore it, or enrol it with a new join token.`,
  )
