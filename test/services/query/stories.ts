import type { Message } from '#contracts/message.ts'
import * as f from './facts.ts'

const machines = ['m-1', 'm-2', 'm-3']
const deployments = ['01890a5d-ac96-774b-bcce-b302099a8057', '11890a5d-ac96-774b-bcce-b302099a8057']

const about = (machineId: string): Record<string, readonly Message[]> => ({
  [`machine-${machineId}`]: [
    f.registered(machineId),
    f.disabled(machineId),
    f.removed(machineId),
    f.registered(machineId, { name: 'again' }),
    f.enabled(machineId),
    f.changed(machineId, { environmentId: 'moon' }),
    f.removed(machineId),
    f.restored(machineId),
    f.quarantined(machineId),
    f.letOut(machineId),
  ],
  [`health-${machineId}`]: [
    f.healthy(machineId),
    f.late(machineId),
    f.unavailable(machineId),
    f.forgotten(machineId),
    f.healthy(machineId),
  ],
})
const ofDeployment = (deploymentId: string): readonly Message[] =>
  [
    f.created(),
    f.started(),
    f.evaluated(machines.slice(0, 2), machines.slice(2)),
    f.stepStarted(),
    f.dispatched('m-1'),
    f.dispatched('m-2'),
    f.taskStarted('m-1'),
    f.taskSucceeded('m-1'),
    f.taskLost('m-2'),
    f.excluded('m-2', 'lost'),
    f.reevaluated(['m-3'], ['m-2']),
    f.step('StepSucceeded'),
    f.failed(['m-1', 'm-3'], ['m-2']),
  ].map((fact) => ({ ...fact, data: { ...fact.data, deploymentId } }))

/** What each stream will say, in order. How they fall between each other is left to chance. */
export const stories: Readonly<Record<string, readonly Message[]>> = {
  ...Object.assign({}, ...machines.map(about)),
  ...Object.fromEntries(deployments.map((id) => [`deployment-${id}`, ofDeployment(id)])),
  'policy-staging': [
    f.withheld('m-1'),
    f.withheld('m-2'),
    f.resumed('m-1'),
    f.requested('m-2'),
    f.abandoned('m-2'),
    f.skipped('m-3'),
    f.massFailure('i-1', ['m-1', 'm-2']),
    f.heldBy('i-1', 'm-1'),
    f.deferred('m-2'),
    f.cleared('i-1'),
  ],
  'observer-health': [f.gapStarted('health', 1_000), f.gapEnded('health', 1_000, 5_000), f.gapStarted('health', 9_000)],
  'environment-staging': [f.environmentCreated()],
  'project-shop': [f.projectCreated],
  'release-shop@1.0.0': [f.released()],
  'enrollment-e1': [f.enrollmentCreated, { type: 'EnrollmentUsed', data: { enrollmentId: 'e1', machineId: 'm-1' } }],
  'tasklog-t1': [f.logged('m-1', 1, 'a\n'), f.logged('m-1', 2, 'b\n')],
}
const streams = Object.keys(stories)
export const streamOfEachFact = streams.flatMap((stream) => stories[stream]!.map(() => stream))
