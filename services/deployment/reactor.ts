import type { DeploymentEvent } from '#contracts/deployment.ts'
import type { MachineCommand } from '#contracts/machine.ts'
import type { Reactor } from '#libs/reactor.ts'

type Fact = Extract<DeploymentEvent, { type: 'MachineDeregistrationRequested' }>
type Asked = MachineCommand & { readonly service: 'registry' }

/** What a deployment asks of the registry: the machines that it replaced are taken out, and say which run did it. */
export const deregistration: Reactor<null, Fact> = {
  name: 'deregister-machines.v1',
  observes: ['MachineDeregistrationRequested'],
  initial: null,
  evolve: () => null,

  react(_, { data: { deploymentId, stepId, machineId } }) {
    const cause = { kind: 'deployment', reason: `replaced in step ${stepId}`, decisionId: null, deploymentId } as const
    const data = { machineId, cause, evidence: null, policyVersion: null }
    return [{ service: 'registry', type: 'DeregisterMachine', data } satisfies Asked]
  },
}
