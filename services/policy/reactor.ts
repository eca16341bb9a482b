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
