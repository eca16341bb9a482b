import type { DeploymentEvent } from '#contracts/deployment.ts'
import type { Run } from '#services/deployment/run/state.ts'
import type { World } from '#services/deployment/run/world.ts'
import { evolveServing, mayServe, serves } from '#services/deployment/run/swap/serving.ts'

type Begun = Extract<DeploymentEvent, { type: 'EffectBegun' }>['data']

const isWell = (world: World, machineId: string): boolean => {
  const { registered, enabled, quarantined, status } = world.machine(machineId) ?? {}
  return registered === true && enabled === true && quarantined === false && ['healthy', 'degraded'].includes(status!)
}

/** R9, at each fact with which a step begins that changes what serves. */
export function effectLaws(run: Run, { does, machines, minimum, ...about }: Begun, world: World) {
  const now = run.swap.facts.reduce(evolveServing, world.servings.at(about.projectId, about.environmentId))
  const ids = machines.flatMap(({ machineId }) => machineId ?? [])
  const left = serves(now).filter(({ machineId }) => !ids.includes(machineId) && isWell(world, machineId))
  const isLoss = ids.some((id) => mayServe(now, id) && isWell(world, id))
  return {
    'enough is left that serves': minimum === null || !isLoss || left.length >= minimum,
    'what may serve is never destroyed':
      does !== 'destroy' || !ids.some((id) => mayServe(now, id) && world.machine(id)?.registered === true),
    'what is being destroyed is never attached':
      does !== 'attach' || !ids.some((id) => ['doomed', 'gone'].includes(now.members.get(id)?.standing ?? 'out')),
    'only what is well is attached': does !== 'attach' || ids.every((id) => isWell(world, id)),
  }
}

/** Whether the step has destroyed the machine, which ends its registration as well. */
export const isDestroyed = (run: Run, stepId: string, machineId: string): boolean =>
  run.swap.facts.some(
    ({ type, data }) =>
      type === 'MachinesDestroyed' &&
      data.stepId === stepId &&
      data.machines.some((machine) => machine.machineId === machineId),
  )
