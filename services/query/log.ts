import type { TaskLogEvent } from '#contracts/taskLog.ts'
import type { Recorded } from '#contracts/message.ts'
import { tableOf } from '#libs/view.ts'
import type { EventStore } from '#libs/store/store.ts'
import type { Query } from './service.ts'
import { taskLogs, tasks } from './views/tasks.ts'

const piecesMax = 50

/** What a task printed at one time, and where it runs. */
export interface Piece {
  readonly position: number
  readonly taskId: string
  readonly machineName: string
  readonly stepId: string
  readonly text: string
}

export interface LogQuery {
  readonly deploymentId: string
  readonly task?: string | undefined
}

/** The next pieces of a deployment's log behind a position, in the order in which they arrived. */
export async function nextPieces(
  query: Query,
  store: EventStore,
  log: LogQuery,
  after: number,
): Promise<readonly Piece[]> {
  const { reader, machines } = query
  const only = log.task === undefined ? '' : 'AND l.taskId = ?'
  const sql = `SELECT l.at, l.taskId, t.stepId, json_extract(m.doc, '$.name'), t.machineId FROM ${tableOf(taskLogs)} l
    LEFT JOIN ${tableOf(tasks)} t ON t.key = l.taskId LEFT JOIN ${tableOf(machines)} m ON m.key = t.machineId
    WHERE l.deploymentId = ? AND l.at > ? ${only} ORDER BY l.at LIMIT ?`
  const values = [log.deploymentId, after, ...(log.task === undefined ? [] : [log.task]), piecesMax]
  const pieces: Piece[] = []
  for (const [at, taskId, stepId, name, machineId] of reader.rows(sql, ...values)) {
    const [event] = (await store.readAll(Number(at) - 1, 1)) as readonly Recorded<TaskLogEvent>[]
    if (event === undefined) continue
    const machineName = String(name ?? machineId ?? event.data.machineId)
    const { text } = event.data
    pieces.push({ position: Number(at), taskId: String(taskId), machineName, stepId: String(stepId ?? ''), text })
  }
  return pieces
}

/**
 * The log so far as text, each line with where it comes from. A line that came in pieces is told when it is whole, so
 * that lines of machines that talk at the same time do not mix.
 */
export async function* logText(query: Query, store: EventStore, log: LogQuery): AsyncGenerator<string> {
  const unfinished = new Map<string, { prefix: string; text: string }>()
  for (let after = 0; ;) {
    const pieces = await nextPieces(query, store, log, after)
    if (pieces.length === 0) break
    let told = ''
    for (const { position, taskId, machineName, stepId, text } of pieces) {
      after = position
      const prefix = `[${machineName} ${stepId}] `
      const lines = ((unfinished.get(taskId)?.text ?? '') + text).split('\n')
      unfinished.set(taskId, { prefix, text: lines.pop() ?? '' })
      for (const line of lines) told += `${prefix}${line}\n`
    }
    if (told !== '') yield told
  }
  for (const { prefix, text } of unfinished.values()) if (text !== '') yield `${prefix}${text}\n`
}
