import type { ModelMachine } from '../fleetModel.ts'
import type { AnyEvent } from '../events.ts'
import type { Asked } from '../office.ts'
import { firstOf } from './log.ts'
import type { Breach, Scene } from './rule.ts'

/** What has to hold when nothing goes wrong any more and nothing is left to be done. */
export const checkAtRest = (scene: Scene): Breach | null =>
  checkBook(scene) ?? checkParked(scene) ?? checkEnds(scene) ?? checkRemovals(scene) ?? checkConvergence(scene)

/** R1: whatever was answered is in the log. */
function checkBook({ book, disk }: Scene): Breach | null {
  const stored = new Map<string, number>()
  for (const { meta } of disk.events) stored.set(meta.commandId, (stored.get(meta.commandId) ?? 0) + 1)
  return firstOf(book, ({ commandId, type, answer, head }: Asked) => {
    if (answer === null || 'refused' in answer) return null
    if (answer.position > head)
      return {
        rule: 'R1',
        ids: [commandId],
        detail: `${type} was answered with position ${answer.position}, of ${head}`,
      }
    if (!type.startsWith('Create') || stored.has(commandId)) return null
    return { rule: 'R1', ids: [commandId], detail: `${type} was acknowledged and is not in the log` }
  })
}

/** Where one message after the other is lost, or the disk fails again and again, an event may be put aside. */
const badLuck = /was lost|no answer to|nobody answers|The disk /

const checkParked = ({ disk }: Scene): Breach | null =>
  firstOf(disk.parked.values(), ({ reactor, position, reason }) => {
    if (badLuck.test(reason)) return null
    return { rule: 'R7', ids: [reactor, String(position)], detail: `an event is parked: ${reason}` }
  })

/** R6: every deployment has ended, with one outcome for each target that it ever had. */
const checkEnds = ({ model }: Scene): Breach | null =>
  firstOf(model.rollouts.deployments.values(), ({ deploymentId, state, included, outcomes }) => {
    if (state !== 'ended') return { rule: 'R6', ids: [deploymentId], detail: `it is still ${state}` }
    const told = outcomes.map(({ machineId }) => machineId)
    const missing = [...included].filter((machineId) => !told.includes(machineId))
    if (missing.length > 0) return { rule: 'R6', ids: [deploymentId, ...missing], detail: 'targets without an outcome' }
    if (told.length === included.size) return null
    return { rule: 'R6', ids: [deploymentId, ...told], detail: 'an outcome too many' }
  })

/** Whoever has been silent for so long is taken out, or it is written down that it is held back. */
const checkRemovals = ({ model: { fleet } }: Scene): Breach | null =>
  firstOf(fleet.machines.values(), ({ machineId, name, environmentId, registered, enabled, status }) => {
    const isElastic = fleet.policies.get(environmentId)?.dynamicRegistration.enabled === true
    if (!registered || !enabled || status !== 'unavailable' || !isElastic || fleet.withheld.has(machineId)) return null
    return { rule: 'R4', ids: [machineId], detail: `${name} is silent, and neither removed nor held back` }
  })

/** R4: every machine that may have the release that it should have has it, or there is a verdict that says why not. */
function checkConvergence({ model, disk }: Scene): Breach | null {
  const { fleet, rollouts } = model
  const skipped = lastSkips(disk.events as readonly AnyEvent[])
  return firstOf(rollouts.projects, (projectId) =>
    firstOf(fleet.machines.values(), (machine: ModelMachine) => {
      const { machineId, environmentId, status } = machine
      const desired = rollouts.desired(projectId, environmentId)
      const isAutomatic = fleet.policies.get(environmentId)?.automaticDeployments.enabled === true
      if (!desired || !isAutomatic || status !== 'healthy') return null
      const { version } = desired
      if (!rollouts.isEligible(machine, projectId, version)) return null
      const installed = rollouts.installedOn(machineId, projectId)?.version
      const isStopped = rollouts.circuits.has(`${environmentId} ${projectId}@${version}`)
      if (installed === version || isStopped || skipped.get(`${machineId} ${projectId}`) === version) return null
      const detail = `${machine.name} has ${installed ?? 'nothing'} and should have ${version}, and no verdict says why`
      return { rule: 'R4', ids: [machineId, projectId], detail }
    }),
  )
}

/** By machine and project: the release about which policy has said that the machine does not get it. */
function lastSkips(events: readonly AnyEvent[]): ReadonlyMap<string, string> {
  const skips = new Map<string, string>()
  for (const event of events) {
    if (event.type !== 'AutomaticDeploymentSkipped') continue
    const { machineId, projectId, version } = event.data
    skips.set(`${machineId} ${projectId}`, version)
  }
  return skips
}
