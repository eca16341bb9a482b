import { ineligibility, workerRole } from '#contracts/eligibility.ts'
import type { DeploymentEvent } from '#contracts/deployment.ts'
import { evaluated, targetsMax } from './bounds.ts'
import { whyNobody } from './noTargets.ts'
import type { FleetMachine, Scene } from './world.ts'

/** Starts a run with the machines that are there now. Who is left out is written down with the clause that did it. */
export function begin({ run, created, world, nowMs }: Scene): readonly DeploymentEvent[] {
  const { deploymentId, environmentId, targetRoles, machineIds } = created
  const included = []
  const excluded = []
  for (const machine of candidates(world, environmentId, machineIds)) {
    const { machineId, name, roles } = machine
    const bar = run.barred.get(machineId)
    const clause =
      bar === undefined ? ineligibility(machine, environmentId, targetRoles) : `excluded by a person: ${bar.reason}`
    if (clause === null) included.push({ machineId, name, roles })
    else if (machine.registered || machineIds !== null) excluded.push({ machineId, name, reason: clause })
  }
  const started: DeploymentEvent = { type: 'DeploymentStarted', data: { deploymentId, startedAt: nowMs } }
  const fail = (reason: string): DeploymentEvent => ({
    type: 'DeploymentFailed',
    data: { deploymentId, reason, outcomes: [] },
  })
  if (included.length > targetsMax) {
    const many = `${included.length} machines would be targets, and one deployment takes ${targetsMax}`
    return [started, fail(`${many}: name some of them`)]
  }
  const nobody = included.length === 0 ? whyNobody(created, excluded) : null
  return [started, ...evaluated(deploymentId, included, excluded), ...(nobody === null ? [] : [fail(nobody)])]
}

/** The machines named, or all of the environment. Workers serve deployments and are no targets. */
function candidates(world: Scene['world'], environmentId: string, named: readonly string[] | null) {
  const machines: Iterable<FleetMachine> =
    named === null
      ? world.inEnvironment(environmentId)
      : [...new Set(named)].flatMap((machineId) => world.machine(machineId) ?? [])
  return [...machines].filter(({ roles }) => !roles.includes(workerRole))
}
