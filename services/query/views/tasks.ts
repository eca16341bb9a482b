import type { DeploymentEvent } from '#contracts/deployment.ts'
import type { TaskLogEvent } from '#contracts/taskLog.ts'
import type { TaskRow } from '#contracts/rows.ts'
import type { View } from '#libs/view.ts'
import { iso } from './iso.ts'

const observes = ['TaskDispatched', 'TaskStarted', 'TaskSucceeded', 'TaskFailed', 'TaskLost'] as const
export type TaskFact = Extract<DeploymentEvent, { type: (typeof observes)[number] }>

/** A task knows its machine by id; the name is that of the machine's row. */
export type KeptTask = Omit<TaskRow, 'machineName'>

/** What tasks of a step are counted under, each state in a heap of its own. */
export const tallyOf = (deploymentId: string, stepId: string, state: string): string =>
  [deploymentId, stepId, state].join(' ')

export const tasks: View<KeptTask, TaskFact> = {
  name: 'tasks.v1',
  observes,
  keysOf: ({ data }) => [data.taskId],
  columns: {
    deploymentId: (row) => row.deploymentId,
    machineId: (row) => row.machineId,
    stepId: (row) => row.stepId,
    state: (row) => row.state,
    attempt: (row) => row.attempt,
  },
  indexes: [['deploymentId']],
  tally: ({ deploymentId, stepId, state }) => tallyOf(deploymentId, stepId, state),

  project(row, fact) {
    const { data } = fact
    const at = iso(fact.meta.at)
    // A task that is lost may still report; what it ended as stands.
    if (row !== undefined && row.endedAt !== null) return row
    const known = row ?? dispatched(data, at)
    switch (fact.type) {
      case 'TaskDispatched':
        return known
      case 'TaskStarted':
        return { ...known, state: 'running', startedAt: at }
      case 'TaskSucceeded': {
        const { outputs, durationMs, logTruncated } = fact.data
        return { ...known, state: 'succeeded', exitCode: 0, outputs, durationMs, logTruncated, endedAt: at }
      }
      case 'TaskFailed': {
        const { exitCode, durationMs, logTruncated, detail } = fact.data
        const reason = detail === '' ? fact.data.reason : `${fact.data.reason}: ${detail}`
        return { ...known, state: 'failed', reason, exitCode, durationMs, logTruncated, endedAt: at }
      }
      case 'TaskLost':
        return { ...known, state: 'lost', reason: fact.data.reason, endedAt: at }
    }
  },
}

const dispatched = ({ taskId, deploymentId, stepId, machineId, attempt }: TaskFact['data'], at: string): KeptTask => ({
  ...{ id: taskId, deploymentId, stepId, machineId, attempt },
  ...{ state: 'dispatched', reason: null, exitCode: null, outputs: {}, logTruncated: false },
  ...{ dispatchedAt: at, startedAt: null, endedAt: null, durationMs: null },
})

/** Where the chunks of a task's log stand in the store. The text stays there: it may be long, and is read once or never. */
export interface LogChunk {
  readonly deploymentId: string
  readonly taskId: string
  readonly machineId: string
  readonly chunk: number
  readonly at: number
}

export const taskLogs: View<LogChunk, TaskLogEvent> = {
  name: 'task-logs.v1',
  observes: ['TaskLogged'],
  keysOf: ({ data }) => [`${data.taskId}/${data.chunk}`],
  columns: { deploymentId: (row) => row.deploymentId, taskId: (row) => row.taskId, at: (row) => row.at },
  indexes: [['deploymentId', 'at']],
  project(row, { data, meta }) {
    const { deploymentId, taskId, machineId, chunk } = data
    return row ?? { deploymentId, taskId, machineId, chunk, at: meta.position }
  },
}
