import type { DeploymentEvent } from '#contracts/deployment.ts'
import { hasEnded } from './leases.ts'

/**
 * Which deployments a machine's news concerns: those that have it as a target or worker, and the releases that run in
 * its environment, since those may wait for machines to come or go.
 */
export function createInterest() {
  const byMachine = new Map<string, Set<string>>()
  const byEnvironment = new Map<string, Set<string>>()
  const machinesOf = new Map<string, Set<string>>()
  const environmentOf = new Map<string, string>()

  const watch = (deploymentId: string, machineIds: readonly string[]) => {
    const own = machinesOf.get(deploymentId)
    for (const machineId of machineIds) {
      own?.add(machineId)
      add(byMachine, machineId, deploymentId)
    }
  }

  const end = (deploymentId: string) => {
    for (const machineId of machinesOf.get(deploymentId) ?? []) remove(byMachine, machineId, deploymentId)
    machinesOf.delete(deploymentId)
    const environmentId = environmentOf.get(deploymentId)
    if (environmentId !== undefined) remove(byEnvironment, environmentId, deploymentId)
    environmentOf.delete(deploymentId)
  }

  return {
    concernedBy: (machineId: string, environmentId: string | undefined): ReadonlySet<string> =>
      new Set([...(byMachine.get(machineId) ?? []), ...(byEnvironment.get(environmentId ?? '') ?? [])]),

    apply(event: DeploymentEvent): void {
      const { deploymentId } = event.data
      if (event.type === 'DeploymentCreated') {
        machinesOf.set(deploymentId, new Set())
        if (event.data.kind === 'automatic') return
        environmentOf.set(deploymentId, event.data.environmentId)
        add(byEnvironment, event.data.environmentId, deploymentId)
      }
      if (event.type === 'TargetsEvaluated')
        watch(
          deploymentId,
          event.data.included.map(({ machineId }) => machineId),
        )
      if (event.type === 'TargetsReevaluated')
        watch(
          deploymentId,
          event.data.added.map(({ machineId }) => machineId),
        )
      if (event.type === 'TargetsRevalidated')
        watch(
          deploymentId,
          event.data.joined.map(({ machineId }) => machineId),
        )
      if (event.type === 'TaskDispatched') watch(deploymentId, [event.data.machineId])
      if (hasEnded(event)) end(deploymentId)
    },
  }
}

const add = (index: Map<string, Set<string>>, key: string, value: string) => {
  const known = index.get(key)
  if (known === undefined) index.set(key, new Set([value]))
  else known.add(value)
}

const remove = (index: Map<string, Set<string>>, key: string, value: string) => {
  const known = index.get(key)
  known?.delete(value)
  if (known?.size === 0) index.delete(key)
}
