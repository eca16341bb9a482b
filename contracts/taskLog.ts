import { z } from 'zod'
import { deploymentId, machineId } from './ids.ts'
import { fact } from './message.ts'

const task = { deploymentId, taskId: z.string().min(1).max(200), machineId }

/** What a running task printed, in chunks. Kept apart from the deployment, whose stream is read to decide. */
export const TaskLogEvent = z.discriminatedUnion('type', [
  fact('TaskLogged', { ...task, chunk: z.number().int().positive(), text: z.string() }),
])
export type TaskLogEvent = z.infer<typeof TaskLogEvent>
