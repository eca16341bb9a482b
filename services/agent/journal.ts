import { z } from 'zod'
import { TaskResult } from '#contracts/taskResult.ts'
import type { Log } from '#libs/log.ts'
import type { AgentFiles } from './ports.ts'
import type { JournalLimits } from './settings.ts'

// The idea: a task may run at most once, and after a crash nobody can tell whether a script had begun unless that was
// on disk before it began. So `started` is durable before the script is, and a task that is found started but not
// finished was interrupted: that is its result, and it is never run again.

const journalFile = 'journal.log'
/** What is appended, at most, before the file is written anew without what is out of date. */
const appendedMax = { lines: 2_000, chars: 16 * 1024 * 1024 }

const Entry = z.object({
  taskId: z.string(),
  deploymentId: z.string(),
  state: z.enum(['accepted', 'started', 'finished', 'reported']),
  result: TaskResult.nullable(),
})
/** What the agent knows of a task, across restarts. */
export type Entry = Readonly<z.infer<typeof Entry>>

const Line = z.union([Entry, z.object({ epoch: z.number() })])

export interface Journal {
  get(taskId: string): Entry | undefined
  entries(): Iterable<Entry>
  /** Resolves when the entry is written; on disk before that for what must survive a crash. */
  record(entry: Entry): Promise<void>
  /** The highest epoch of a store that this agent has worked for. */
  readonly epoch: number
  seeEpoch(epoch: number): Promise<void>
  /** The machine has joined a server that may never have heard of earlier epochs. */
  forgetEpoch(): Promise<void>
}

/** Reads the journal, forgives a last line that a crash has torn, and drops what is too old to matter. */
export async function openJournal(files: AgentFiles, limits: JournalLimits, log: Log): Promise<Journal> {
  const stored = (await files.read(journalFile)) ?? ''
  const { entries, epoch: epochRead, unreadable } = readLines(stored)
  if (unreadable > 0) log.warn({ unreadable }, 'the journal has lines that cannot be read; the rest is used')
  let epoch = epochRead
  let appended = { lines: 0, chars: 0 }

  const rewrite = async () => {
    forget(entries, limits)
    appended = { lines: 0, chars: 0 }
    const kept = [{ epoch }, ...entries.values()]
    await files.replace(journalFile, kept.map((line) => `${JSON.stringify(line)}\n`).join(''))
  }
  await rewrite()

  const write = async (line: object, durable: boolean) => {
    const text = `${JSON.stringify(line)}\n`
    await files.append(journalFile, text, { durable })
    appended = { lines: appended.lines + 1, chars: appended.chars + text.length }
    if (appended.lines > appendedMax.lines || appended.chars > appendedMax.chars) await rewrite()
  }

  return {
    get: (taskId) => entries.get(taskId),
    entries: () => entries.values(),
    async record(entry) {
      // Moved to the end, so that the oldest by last change is the first to be forgotten.
      entries.delete(entry.taskId)
      entries.set(entry.taskId, entry)
      await write(entry, entry.state === 'started' || entry.state === 'finished')
    },
    get epoch() {
      return epoch
    },
    async seeEpoch(seen) {
      if (seen <= epoch) return
      epoch = seen
      await write({ epoch }, true)
    },
    async forgetEpoch() {
      epoch = 0
      await write({ epoch }, true)
    },
  }
}

function readLines(text: string) {
  const entries = new Map<string, Entry>()
  let epoch = 0
  let unreadable = 0
  // Whatever follows the last line break was never completed, so nobody has acted on it.
  for (const line of text.split('\n').slice(0, -1)) {
    const parsed = parseLine(line)
    if (parsed === null) unreadable += 1
    else if ('epoch' in parsed) epoch = parsed.epoch
    else {
      entries.delete(parsed.taskId)
      entries.set(parsed.taskId, parsed)
    }
  }
  return { entries, epoch, unreadable }
}

function parseLine(line: string) {
  try {
    return Line.parse(JSON.parse(line))
  } catch {
    return null
  }
}

/** Only tasks that the server knows to be over are forgotten: first their results, in the end that they were. */
function forget(entries: Map<string, Entry>, { resultsMax, tasksMax }: JournalLimits): void {
  const reported = [...entries.values()].filter(({ state }) => state === 'reported')
  for (const entry of reported.slice(0, Math.max(0, reported.length - resultsMax))) {
    entries.set(entry.taskId, { ...entry, result: null })
  }
  for (const { taskId } of reported.slice(0, Math.max(0, reported.length - tasksMax))) entries.delete(taskId)
}
