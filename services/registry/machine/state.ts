import type { MachineEvent, RemovalCause } from '#contracts/machine.ts'
import type { Probe } from '#contracts/probe.ts'
import type { Self } from './self.ts'

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

export const initial: Machine = {
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

export function evolve(state: Machine, event: MachineEvent): Machine {
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

export const whoOf = ({ name, environmentId, roles }: Machine['who']) => ({ name, environmentId, roles })
const selfOf = ({ facts, attributes }: Self) => ({ facts, attributes })
const partsOf = (data: Machine['who'] & Self) => ({ who: whoOf(data), self: selfOf(data) })
