import { readFile } from 'node:fs/promises'

/** A process that can be told from a later one with its number. */
export interface ProcessMark {
  readonly pid: number
  /** When it began, where the system tells. */
  readonly started: string | null
}

/** Marks a process that runs now. */
export const markOf = async (pid: number): Promise<ProcessMark> => ({ pid, started: await startOf(pid) })

/** Whether this very process runs still, whoever has its number now. */
export async function isRunning({ pid, started }: ProcessMark): Promise<boolean> {
  if ((await startOf(pid)) !== started) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** The mark that a text keeps; null when it keeps none. */
export function parseMark(text: string | null): ProcessMark | null {
  try {
    const { pid, started } = JSON.parse(text ?? '') as ProcessMark
    return Number.isSafeInteger(pid) && pid > 0 ? { pid, started } : null
  } catch {
    return null
  }
}

async function startOf(pid: number): Promise<string | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null)
  // The name stands in brackets and may hold anything; the start is the 22nd field, the 20th after the brackets.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields?.[19] ?? null
}
