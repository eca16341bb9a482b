import type { Answer } from '#contracts/command.ts'
import type { TaskResult } from '#contracts/taskResult.ts'
import type { DeploymentCommand } from '#contracts/deployment.ts'
import type { Cause } from '#contracts/message.ts'
import { isRefusal, refuse } from '#libs/decider.ts'
import type { Platform } from '#libs/platform.ts'
import type { Engine } from './engine.ts'
import { isActive } from './run/state.ts'
import type { Secrets } from './secrets.ts'
import { secretsFor, workOrderFor } from './workOrder.ts'

type Asked = Extract<DeploymentCommand, { type: 'GetWorkOrder' }>['data']

/**
 * Answers with what a machine needs to run an attempt. An attempt whose variables can have no value ends here, since no
 * waiting would help it.
 */
export async function handOut(
  { store }: Platform,
  engine: Engine,
  secrets: Secrets,
  asked: Asked,
  cause: Cause,
): Promise<Answer> {
  const { deploymentId, taskId, machineId } = asked
  const { state } = await engine.load(deploymentId)
  const task = state.tasks.get(taskId)
  if (task === undefined) return refuse('TASK_UNKNOWN', `there is no task ${taskId}`)
  if (task.machineId !== machineId) return refuse('TASK_FOREIGN', `task ${taskId} is not for ${machineId}`)
  // What has ended or is being cancelled is never begun, however late somebody asks for it.
  if (!isActive(task) || task.cancelRequested) return refuse('TASK_UNKNOWN', `task ${taskId} is not to be run any more`)
  const machine = engine.fleet.machine(machineId)
  if (machine === undefined) return refuse('TASK_UNKNOWN', `task ${taskId} is nothing that a machine could run`)
  const values = await secrets.reveal(state.created?.projectId ?? '', secretsFor(state, task, machine))
  if (isRefusal(values)) return fail(engine, asked, values.refused, values.detail, cause)
  const order = workOrderFor(state, task, machine, store.epoch, values)
  if (order === null) return refuse('TASK_UNKNOWN', `task ${taskId} is nothing that a machine could run`)
  if ('problem' in order) return fail(engine, asked, 'VARIABLES_INVALID', order.problem, cause)
  return { accepted: true, position: 0, result: { order } }
}

/** Ends the attempt with the reason, and tells who asked that there is nothing to run. */
async function fail(
  engine: Engine,
  { deploymentId, taskId, machineId }: Asked,
  code: 'VARIABLES_INVALID' | 'SECRET_DESTROYED' | 'SECRET_UNREADABLE',
  why: string,
  cause: Cause,
): Promise<Answer> {
  const result: TaskResult = {
    ...({ outcome: 'failed', reason: 'bad-variables', exitCode: null } as const),
    ...{ detail: `${code}: ${why}`, durationMs: 0, logTruncated: false },
  }
  const failed = await engine.request(deploymentId, { type: 'RecordTaskResult', taskId, machineId, result }, cause)
  return isRefusal(failed) ? failed : refuse(code, why)
}
