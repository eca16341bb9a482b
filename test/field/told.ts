import type { DeploymentDecision } from '#contracts/decision.ts'
import type { AnyEvent } from '#test/simulation/events.ts'
import type { Script } from '#test/simulation/script.ts'
import { environmentId, type Plane } from './plane.ts'

/** What people do while a deployment runs. An approval is given unless something else is said. */
export interface Told {
  readonly decision?: DeploymentDecision
  /** The deployment is cancelled when such an event has been stored of it. */
  readonly cancelBehind?: AnyEvent['type']
}

const projectId = 'shop'
const lookEveryMs = 1_000
const endsWithinMs = 4 * 3_600_000

/** A script that takes so long, and fails so often. */
export const takes = (ms: number, failsShare = 0): string =>
  JSON.stringify({ durationMinMs: ms, durationMaxMs: ms, failsShare, badMachinesShare: 0 } satisfies Script)

/** Begins to deploy these steps to the whole environment, or to machines by their ids. */
export async function begin(
  plane: Plane,
  deploymentId: string,
  steps: readonly object[],
  more: { readonly machineIds?: readonly string[]; readonly timeLimitMs?: number } = {},
): Promise<void> {
  const { machineIds = null, ...limit } = more
  await projectsOf(plane)
  const version = `1.${plane.count('ReleaseCreated')}`
  const process = { steps, ...limit }
  await plane.must('deployment', 'ChangeProcess', { projectId, process, expectedVersion: null })
  await plane.must('deployment', 'CreateRelease', { projectId, version, notes: '' })
  const order = { deploymentId, projectId, version, environmentId, kind: 'release', machineIds }
  await plane.must('deployment', 'CreateDeployment', order)
}

/** Two projects: what is deployed, and one that it may deploy in turn. */
async function projectsOf(plane: Plane): Promise<void> {
  if (plane.count('ProjectCreated') > 0) return
  await plane.must('deployment', 'CreateProject', { projectId, name: 'Shop' })
  await plane.must('deployment', 'CreateProject', { projectId: 'database', name: 'Database' })
  const steps = [{ id: 'migrate', kind: 'script', script: takes(200) }]
  await plane.must('deployment', 'ChangeProcess', {
    ...{ projectId: 'database', process: { steps }, expectedVersion: null },
  })
  await plane.must('deployment', 'CreateRelease', { projectId: 'database', version: '1.0', notes: '' })
}

/** Lets time pass until a deployment has ended, and says what there is to be said. */
export async function finish(plane: Plane, deploymentId: string, { decision, cancelBehind }: Told = {}) {
  const facts = () =>
    plane.disk.events.filter(({ data }) => (data as { deploymentId?: string }).deploymentId === deploymentId)
  const has = (type: string) => facts().some((fact) => fact.type === type)
  const isOver = () => facts().some(({ type }) => /^Deployment(Succeeded|Failed|Cancelled)$/.test(type))
  const say = (type: string, data: object) => {
    const commandId = plane.world.id()
    const cause = { actor: 'user:operator', commandId, correlationId: commandId, causationId: null }
    // Said again a moment later when nobody heard it, or when it was the wrong moment.
    plane.server.ask('deployment', { type, data: { deploymentId, ...data } }, cause).catch(() => {})
  }
  const look = () => {
    if (isOver()) return
    const asked = facts().findLast(({ type }) => type === 'DecisionRequested')?.data as
      | { machineId?: string }
      | undefined
    if (cancelBehind !== undefined && has(cancelBehind)) say('CancelDeployment', { reason: 'enough' })
    else if (asked !== undefined && decision !== undefined)
      say('DecideDeployment', { decision, comment: '', machineId: asked.machineId })
    else if (has('ApprovalRequested')) say('DecideDeployment', { decision: 'approve', comment: '' })
    plane.world.timer(lookEveryMs, look)
  }
  look()
  await plane.until(isOver, endsWithinMs)
}
