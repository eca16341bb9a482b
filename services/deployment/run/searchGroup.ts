import { judged, type Found } from './judge.ts'
import type { Scene } from './world.ts'

/**
 * The machines that a provider lists in a group, such as an auto-scaling group. Nothing heard, nobody listed and an old
 * answer are all reasons to wait, and never an empty group.
 */
export function searchGroup(scene: Scene, group: string, since: number): Found {
  const { created, world } = scene
  const { environmentId, deploymentId } = created
  const nobody = (why: string): Found => ({ ...judged(scene, []), missing: [why] })
  const answer = world.group({ environmentId, group, deploymentId, since })
  if (answer === null) return nobody(`nothing has been heard of group ${group} yet`)
  const { provider, silence, members, answeredAt } = answer
  if (silence !== null) return nobody(`provider ${provider} does not tell who is in group ${group}: ${silence}`)
  if (answeredAt === null || answeredAt < since)
    return nobody(`provider ${provider} has not been asked about group ${group} since the step began`)
  const heard = { provider, group, at: answeredAt }
  const running = members.filter(({ state }) => state === 'running')
  if (running.length === 0)
    return { ...nobody(`provider ${provider} lists no running machine in group ${group}`), heard }
  const meant = running.map(({ machineId, name }) => ({
    name,
    machine: machineId === null ? undefined : world.machine(machineId),
  }))
  return { ...judged(scene, meant), heard }
}
