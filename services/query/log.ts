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
  readonly attempt: number
  readonly text: string
}

export interface LogQuery {
  readonly deploymentId: string
  readonly task?: string | undefined
  readonly step?: string | undefined
  /** By id or name. */
  readonly machine?: string | undefined
}

/** The next pieces of a deployment's log behind a position, in the order in which they arrived. */
export async function nextPieces(
  query: Query,
  store: EventStore,
  log: LogQuery,
  after: number,
): Promise<readonly Piece[]> {
  const { reader, machines } = query
  const name = "json_extract(m.doc, '$.name')"
  const filters = [
    ...(log.task === undefined ? [] : ([['l.taskId = ?', log.task]] as const)),
    ...(log.step === undefined ? [] : ([['t.stepId = ?', log.step]] as const)),
    ...(log.machine === undefined ? [] : ([[`? IN (t.machineId, ${name})`, log.machine]] as const)),
  ]
  const only = filters.map(([condition]) => ` AND ${condition}`).join('')
  const sql = `SELECT l.at, l.taskId, t.stepId, ${name}, t.machineId, t.attempt FROM ${tableOf(taskLogs)} l
    LEFT JOIN ${tableOf(tasks)} t ON t.key = l.taskId LEFT JOIN ${tableOf(machines)} m ON m.key = t.machineId
    WHERE l.deploymentId = ? AND l.at > ?${only} ORDER BY l.at LIMIT ?`
  const values = [log.deploymentId, after, ...filters.map(([, value]) => value), piecesMax]
  const pieces: Piece[] = []
  for (const [at, taskId, stepId, named, machineId, attempt] of reader.rows(sql, ...values)) {
    const [event] = (await store.readAll(Number(at) - 1, 1)) as readonly Recorded<TaskLogEvent>[]
    if (event === undefined) continue
    const machineName = String(named ?? machineId ?? event.data.machineId)
    const from = { taskId: String(taskId), machineName, stepId: String(stepId ?? ''), attempt: Number(attempt ?? 1) }
    pieces.push({ position: Number(at), ...from, text: event.data.text })
  }
  return pieces
}
