import type { Answer } from '#contracts/command.ts'
import type { DeploymentCommand } from '#contracts/deployment.ts'
import type { Cause } from '#contracts/message.ts'
import { taskLogStream } from '#contracts/subjects.ts'
import { refuse } from '#libs/decider.ts'
import type { Platform } from '#libs/platform.ts'
import type { Engine } from './engine.ts'

type Chunk = Extract<DeploymentCommand, { type: 'AppendTaskLog' }>['data']

/** Stores a chunk of what a task printed. Chunk n is event n of its stream, so a chunk that comes twice is stored once. */
export async function appendTaskLog({ store }: Platform, engine: Engine, chunk: Chunk, cause: Cause): Promise<Answer> {
  const { state } = await engine.load(chunk.deploymentId)
  const task = state.tasks.get(chunk.taskId)
  if (task === undefined) return refuse('TASK_UNKNOWN', `there is no task ${chunk.taskId}`)
  if (task.machineId !== chunk.machineId)
    return refuse('TASK_FOREIGN', `task ${chunk.taskId} is not for machine ${chunk.machineId}`)

  const stream = taskLogStream(chunk.taskId)
  const stored = await store.append(stream, chunk.chunk - 1, [{ type: 'TaskLogged', data: chunk }], cause)
  if (stored !== 'conflict') return { accepted: true, position: stored.at(-1)!.meta.position, result: {} }
  const { version } = await store.read(stream, chunk.chunk - 1)
  if (version >= chunk.chunk) return { accepted: true, position: 0, result: {} }
  return refuse('REQUEST_INVALID', `chunk ${chunk.chunk} of ${chunk.taskId} came before chunk ${version + 1}`)
}
