import type { DeploymentRow, StepRow, TargetRow } from '#contracts/rows.ts'
import { tableOf } from '#libs/view.ts'
import { withFields } from './answers.ts'
import { planIn, type AskedVersions } from './plan/versions.ts'
import type { Page, PageRequest } from './reader.ts'
import type { Query } from './service.ts'
import { deployments, type KeptDeployment } from './views/deployments.ts'
import { releases } from './views/projects.ts'
import { targets } from './views/targets.ts'
import { tasks } from './views/tasks.ts'

export interface DeploymentFilter extends PageRequest {
  readonly environment?: string | undefined
  readonly project?: string | undefined
  readonly state?: string | undefined
}

/** In a list each deployment shows so many of its targets; asked for alone it shows all. */
export const targetsListedMax = 1_000

export function deploymentPage({ reader }: Query, { environment, project, state, ...page }: DeploymentFilter): Page {
  const { docs, next } = reader.page({
    list: 'deployments',
    view: deployments,
    where: [
      environment === undefined ? undefined : ['environmentId = ?', environment],
      project === undefined ? undefined : ['projectId = ?', project],
      state === undefined ? undefined : ['state = ?', state],
    ],
    order: ['id'],
    descending: true,
    ...page,
  })
  const listed = docs.map((doc) => JSON.parse(doc) as KeptDeployment)
  return { docs: listed.map((row) => wholeDeployment(reader, row, targetsListedMax)), next }
}

export function deploymentDoc({ reader }: Query, id: string): string | undefined {
  const row = deploymentRow(reader, id)
  return row && wholeDeployment(reader, row)
}

export function deploymentRow(reader: Query['reader'], id: string): KeptDeployment | undefined {
  const kept = reader.one(deployments, id)
  return kept && (JSON.parse(kept.doc) as KeptDeployment)
}

/** The row as it is told: with its steps' tasks counted and its targets, which are spliced in as they are stored. */
function wholeDeployment(reader: Query['reader'], kept: KeptDeployment, targetsMax = Number.MAX_SAFE_INTEGER): string {
  const { limits: _, ...row } = kept
  const waiting = row.waiting && { ...row.waiting, position: queuePosition(reader, kept) }
  const told: Omit<DeploymentRow, 'targets' | 'position'> = { ...row, waiting, steps: countedSteps(reader, kept) }
  const { position } = reader.one(deployments, row.id) ?? { position: 0 }
  return withFields(JSON.stringify(told), {
    targets: `[${targetDocs(reader, row.id, targetsMax).join(',')}]`,
    position: String(position),
  })
}

/** Its place in the queue of its project and environment, in the order in which they may start; null when it has left. */
function queuePosition(reader: Query['reader'], row: KeptDeployment): number | null {
  if (row.state !== 'queued' || row.waiting?.reason === 'scheduled') return null
  const sql = `SELECT count(*) FROM ${tableOf(deployments)} WHERE environmentId = ? AND projectId = ?
    AND (queued > ? OR (queued = ? AND id <= (SELECT id FROM ${tableOf(deployments)} WHERE key = ?)))`
  const { environmentId, projectId, priority, id } = row
  const [[place] = []] = reader.rows(sql, environmentId, projectId, priority, priority, id)
  return Number(place)
}

export function countedSteps(reader: Query['reader'], { id, steps }: KeptDeployment): readonly StepRow[] {
  const counts = new Map<string, Record<string, number>>()
  for (const [heap, count] of reader.tallies(tasks, id)) {
    const [stepId = '', state = ''] = heap.split(' ')
    counts.set(stepId, { ...counts.get(stepId), [state]: count })
  }
  return steps.map((step) => ({ ...step, tasks: counts.get(step.id) ?? {} }))
}

function targetDocs(reader: Query['reader'], deploymentId: string, limit: number): readonly string[] {
  const sql = `SELECT json_remove(doc, '$.deploymentId') FROM ${tableOf(targets)} WHERE deploymentId = ? ORDER BY id LIMIT ?`
  return reader.rows(sql, deploymentId, limit).map(([doc]) => String(doc))
}

/** The plan in a version, its steps with how they stand now and, for each machine, how the latest attempt there stands. */
export function planOf({ reader }: Query, id: string, asked: AskedVersions) {
  const row = deploymentRow(reader, id)
  const plan = planIn(reader, id, asked)
  if (row === undefined || plan === null) return undefined
  const { state, approval } = row
  if (plan.version < plan.latestVersion) return { ...plan, state, approval }
  const attempts = latestAttempts(reader, id)
  const named = targetDocs(reader, id, Number.MAX_SAFE_INTEGER).map((doc) => JSON.parse(doc) as TargetRow)
  const names = new Map(named.map(({ machineId, name }) => [machineId, name]))
  const targetsOf = ({ id: stepId }: StepRow) =>
    [...(attempts.get(stepId)?.values() ?? [])].map((one) => ({
      ...one,
      name: names.get(one.machineId) ?? one.machineId,
    }))
  const planned = new Map(plan.steps.map((step) => [step.id, step]))
  const steps = countedSteps(reader, row).map((step) => ({
    ...step,
    ...planned.get(step.id),
    targets: targetsOf(step),
  }))
  return { ...plan, state, approval, steps }
}

/** By step and machine, in the order in which they came; a later attempt takes the place of an earlier one. */
function latestAttempts(reader: Query['reader'], deploymentId: string) {
  const sql = `SELECT stepId, machineId, state, attempt FROM ${tableOf(tasks)} WHERE deploymentId = ? ORDER BY id`
  const byStep = new Map<string, Map<string, { machineId: string; state: string; attempt: number }>>()
  for (const [step, machine, state, attempt] of reader.rows(sql, deploymentId)) {
    const [stepId, machineId] = [String(step), String(machine)]
    const ofStep = byStep.get(stepId) ?? new Map()
    byStep.set(stepId, ofStep.set(machineId, { machineId, state: String(state), attempt: Number(attempt) }))
  }
  return byStep
}

export function releasePage({ reader }: Query, projectId: string, page: PageRequest): Page {
  const where = [['projectId = ?', projectId]] as const
  return reader.page({ list: 'releases', view: releases, where, order: ['id'], descending: true, ...page })
}

/** The tasks of a deployment in the order in which they were handed out, each with the name its machine has now. */
export function taskPage({ reader, machines }: Query, deploymentId: string, page: PageRequest): Page {
  const name = `(SELECT json_extract(m.doc, '$.name') FROM ${tableOf(machines)} m WHERE m.key = machineId)`
  const doc = `json_set(doc, '$.machineName', coalesce(${name}, machineId))`
  return reader.page({
    list: 'tasks',
    view: tasks,
    doc,
    where: [['deploymentId = ?', deploymentId]],
    order: ['id'],
    ...page,
  })
}
