import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { WorkOrder } from '#contracts/agent.ts'

const folderMode = 0o700
const fileMode = 0o600
export const taskVariable = 'REMUDA_TASK_ID'

/** What the script of a task is given beside what every script inherits. */
export function environmentFor(order: WorkOrder, outputFile: string): Readonly<Record<string, string>> {
  return {
    ...order.environment,
    REMUDA_OUTPUT: outputFile,
    [taskVariable]: order.taskId,
    REMUDA_DEPLOYMENT_ID: order.deploymentId,
    REMUDA_STEP_ID: order.stepId,
    REMUDA_ATTEMPT: String(order.attempt),
  }
}

/**
 * Writes the values that a script wants in files, below the folder of the task, which is removed with it, by the next
 * agent if need be.
 * @returns the variables, with the paths instead of the values
 */
export async function writeValues({ files = [], environment }: WorkOrder, folder: string) {
  const below = join(folder, 'variables')
  if (files.length > 0) await mkdir(below, { mode: folderMode })
  const paths: Record<string, string> = {}
  for (const name of files) {
    const path = join(below, name)
    await writeFile(path, environment[name] ?? '', { mode: fileMode, flag: 'wx' })
    paths[name] = path
  }
  return paths
}
