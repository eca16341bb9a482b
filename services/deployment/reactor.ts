import type { DeploymentCommand, DeploymentEvent } from '#contracts/deployment.ts'
import type { MachineCommand } from '#contracts/machine.ts'
import type { Reactor } from '#libs/reactor.ts'

type ChildFact = Extract<DeploymentEvent, { type: `Child${string}` }>
type AskedOfItself = DeploymentCommand & { readonly service: 'deployment' }
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

/** What a deployment asks of others: the release of another project is deployed, or that is ended. */
export const childDeployments: Reactor<null, ChildFact> = {
  name: 'child-deployments.v1',
  observes: ['ChildDeploymentRequested', 'ChildCancelRequested'],
  initial: null,
  evolve: () => null,

  react(_, { type, data }) {
    const { childId: deploymentId } = data
    if (type === 'ChildCancelRequested') {
      const { reason } = data
      return [
        { service: 'deployment', type: 'CancelDeployment', data: { deploymentId, reason } } satisfies AskedOfItself,
      ]
    }
    const { projectId, version, environmentId, machineIds, parents } = data
    const wanted = { deploymentId, projectId, version, environmentId, kind: 'release', machineIds, parents } as const
    return [{ service: 'deployment', type: 'CreateDeployment', data: wanted } satisfies AskedOfItself]
  },
}
