import { reasonCharsMax } from '#contracts/ids.ts'
import type { MachineCommand, MachineEvent } from '#contracts/machine.ts'
import type { PolicyCommand, PolicyEvent } from '#contracts/policy.ts'
import type { Reactor } from '#libs/reactor.ts'

type Decided = Extract<PolicyEvent, { type: 'RemovalRequested' }>
type Asked = PolicyCommand & { readonly service: 'policy' }

/** Sees removals through: each that was decided is carried out. */
export const carryOut: Reactor<null, Decided> = {
  name: 'carry-out.v1',
  observes: ['RemovalRequested'],
  initial: null,
  evolve: () => null,

  react(_, { data: { environmentId, machineId, decisionId } }) {
    return [
      { service: 'policy', type: 'CarryOutRemoval', data: { environmentId, machineId, decisionId } } satisfies Asked,
    ]
  },
}

interface Undone {
  /** By machine that is removed now: the decision that did it, where policy did. */
  readonly removedBy: Map<string, string>
  /** By decision that was taken back: the reason. */
  readonly reverted: Map<string, string>
}
type Removed = Extract<MachineEvent, { type: 'MachineDeregistered' | 'MachineRegistered' | 'MachineRestored' }>
type Reverted = Extract<PolicyEvent, { type: 'DecisionReverted' }>

/**
 * Restores what a decision removed that a person took back. A removal that was on its way meanwhile may still arrive
 * behind the person's word: whichever of the two is stored last leads to the restore, so no race is left. What has been
 * removed since for another reason stays removed.
 */
export const undo: Reactor<Undone, Reverted | Removed> = {
  name: 'undo.v1',
  observes: ['DecisionReverted', 'MachineDeregistered', 'MachineRegistered', 'MachineRestored'],
  initial: { removedBy: new Map(), reverted: new Map() },

  evolve(known, { type, data }) {
    switch (type) {
      case 'DecisionReverted':
        known.reverted.set(data.decisionId, data.reason)
        break
      case 'MachineDeregistered':
        if (data.cause.decisionId === null) known.removedBy.delete(data.machineId)
        else known.removedBy.set(data.machineId, data.cause.decisionId)
        break
      case 'MachineRegistered':
      case 'MachineRestored':
        known.removedBy.delete(data.machineId)
    }
    return known
  },

  react({ removedBy, reverted }, { type, data }) {
    switch (type) {
      case 'DecisionReverted':
        return data.machineIds
          .filter((machineId) => removedBy.get(machineId) === data.decisionId)
          .map((machineId) => restore(machineId, data.reason))
      case 'MachineDeregistered': {
        const why = reverted.get(data.cause.decisionId ?? '')
        return why === undefined ? [] : [restore(data.machineId, why)]
      }
      case 'MachineRegistered':
      case 'MachineRestored':
        return []
    }
  },
}

type Restore = Extract<MachineCommand, { type: 'RestoreMachine' }> & { readonly service: 'registry' }

const restore = (machineId: string, why: string): Restore => {
  const reason = `the decision to remove it was taken back: ${why}`.slice(0, reasonCharsMax).trimEnd()
  return { service: 'registry', type: 'RestoreMachine', data: { machineId, reason } }
}
