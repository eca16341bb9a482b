import type { AskedDecision } from '#contracts/decision.ts'
import type { DeploymentEvent } from '#contracts/deployment.ts'
import type { DeploymentRow, StepRow } from '#contracts/rows.ts'
import type { View } from '#libs/view.ts'
import { created } from './deploymentCreated.ts'
import { iso } from './iso.ts'
import { changed, leaving } from './swap.ts'

/** Targets are rows of their own and tasks are counted by theirs, so that a machine's fact never rewrites a deployment. */
export interface KeptDeployment extends Omit<DeploymentRow, 'targets' | 'position' | 'waiting'> {
  /** How many are before it is asked of those that are in line when somebody wants to know. */
  readonly waiting: Omit<NonNullable<DeploymentRow['waiting']>, 'position'> | null
  /** What it may take, and each step by its id; null for what has no limit of its own. */
  readonly limits: { readonly runMs: number | null; readonly stepsMs: Readonly<Record<string, number | null>> }
}

const observes = [
  'DeploymentCreated',
  'DeploymentHeld',
  'DeploymentResumed',
  'DeploymentStarted',
  'StepStarted',
  'StepSucceeded',
  'StepFailed',
  'StepSkipped',
  'ApprovalRequested',
  'ApprovalGiven',
  'ApprovalRefused',
  'DecisionRequested',
  'DecisionMade',
  'TargetExcluded',
  'ServingChanged',
  'DeploymentCancelRequested',
  'DeploymentSucceeded',
  'DeploymentFailed',
  'DeploymentCancelled',
] as const
export type DeploymentFact = Extract<DeploymentEvent, { type: (typeof observes)[number] }>

export const deployments: View<KeptDeployment, DeploymentFact> = {
  name: 'deployments.v7',
  observes,
  keysOf: ({ data }) => [data.deploymentId],
  columns: {
    environmentId: (row) => row.environmentId,
    projectId: (row) => row.projectId,
    state: (row) => row.state,
    /** Its priority while it is in line; what is to start later is not. */
    queued: (row) => (row.state === 'queued' && row.waiting?.reason !== 'scheduled' ? row.priority : null),
    /** Says which release the whole environment should have: it was asked for all of it and went well. */
    decides: (row) => (row.kind === 'release' && !row.partial && row.state === 'succeeded' ? row.version : null),
  },
  indexes: [
    ['environmentId'],
    ['environmentId', 'projectId', 'queued'],
    ['projectId'],
    ['state'],
    ['environmentId', 'projectId', 'decides'],
  ],
  tally: (row) => row.state,

  project(row, fact) {
    if (fact.type === 'DeploymentCreated') return created(fact)
    // What has ended stays as it ended.
    if (row === undefined || row.endedAt !== null) return row
    const at = iso(fact.meta.at)
    switch (fact.type) {
      case 'DeploymentHeld':
        return { ...row, waiting: waitingFor(fact.data) }
      case 'DeploymentResumed':
        return { ...row, waiting: null }
      case 'DeploymentStarted':
        return { ...row, state: 'running', startedAt: at, waiting: null, deadlineAt: isoAfter(at, row.limits.runMs) }
      case 'StepStarted': {
        const { stepId } = fact.data
        return withStep(row, stepId, { state: 'running', startedAt: at, deadlineAt: deadlineOf(row, stepId, at) })
      }
      case 'StepSucceeded':
        return withStepEnded(row, fact.data.stepId, { state: 'succeeded', endedAt: at })
      case 'StepFailed':
        return withStepEnded(row, fact.data.stepId, { state: 'failed', reason: fact.data.reason, endedAt: at })
      case 'StepSkipped':
        return withStepEnded(row, fact.data.stepId, { state: 'skipped', reason: fact.data.reason, endedAt: at })
      case 'ApprovalRequested':
      case 'ApprovalGiven':
      case 'ApprovalRefused':
      case 'DecisionRequested':
      case 'DecisionMade':
      case 'TargetExcluded':
        return asked(row, fact, at)
      case 'ServingChanged':
        return { ...row, swap: changed(row.swap, fact.data) }
      case 'DeploymentCancelRequested':
        return { ...row, reason: fact.data.reason }
      case 'DeploymentSucceeded':
      case 'DeploymentFailed':
      case 'DeploymentCancelled':
        return ended(row, fact, at)
    }
  },
}

function ended(row: KeptDeployment, { type, data }: EndFact, at: string): KeptDeployment {
  const over = { approval: null, waiting: null, decisions: [], deadlineAt: null, endedAt: at }
  const left = data.leftBehind === undefined ? {} : { swap: leaving(row.swap, data.leftBehind) }
  switch (type) {
    case 'DeploymentSucceeded':
      return { ...row, ...over, ...left, state: 'succeeded' }
    case 'DeploymentFailed':
      return { ...row, ...over, ...left, state: 'failed', reason: data.reason }
    case 'DeploymentCancelled':
      return { ...withStepsCancelled(row, data.reason, at), ...over, ...left, state: 'cancelled' }
  }
}

type EndFact = Extract<DeploymentFact, { type: 'DeploymentSucceeded' | 'DeploymentFailed' | 'DeploymentCancelled' }>
type HeldData = Extract<DeploymentFact, { type: 'DeploymentHeld' }>['data']
type AskingFact = Extract<DeploymentFact, { type: `Approval${string}` | `Decision${string}` | 'TargetExcluded' }>

/** What a person is asked, and what was said or became of it. */
function asked(row: KeptDeployment, fact: AskingFact, at: string): KeptDeployment {
  switch (fact.type) {
    case 'ApprovalRequested': {
      const { stepId, message, deadlineAt, change } = fact.data
      const shown = { stepId, message, deadlineAt: iso(deadlineAt), ...(change && { change }) }
      // A step that asks on its way has the person's time now, and its own again when that is over.
      return waiting({ ...withStep(row, stepId, { deadlineAt: shown.deadlineAt }), approval: shown })
    }
    case 'ApprovalGiven': {
      const { stepId } = fact.data
      return waiting({ ...withStep(row, stepId, { deadlineAt: deadlineOf(row, stepId, at) }), approval: null })
    }
    case 'ApprovalRefused':
      return waiting({ ...row, approval: null })
    case 'DecisionRequested': {
      const { stepId, machineId, reason, options, deadlineAt } = fact.data
      const asked = { stepId, machineId, reason, options, deadlineAt: iso(deadlineAt) }
      return waiting({ ...row, decisions: [...row.decisions.filter((one) => !isAbout(one, fact.data)), asked] })
    }
    case 'DecisionMade':
      return waiting({ ...row, decisions: row.decisions.filter((one) => !isAbout(one, fact.data)) })
    case 'TargetExcluded': {
      const decisions = row.decisions.filter(({ machineId }) => machineId !== fact.data.machineId)
      return decisions.length === row.decisions.length ? row : waiting({ ...row, decisions })
    }
  }
}

const waitingFor = ({ reason, detail, until }: HeldData): KeptDeployment['waiting'] => ({
  ...{ reason, detail },
  until: until === null ? null : iso(until),
})

const isoAfter = (at: string, limitMs: number | null): string | null =>
  limitMs === null ? null : iso(Date.parse(at) + limitMs)

/** By when a step has to be through that has begun at that time. */
const deadlineOf = (row: KeptDeployment, stepId: string, at: string): string | null =>
  isoAfter(at, row.limits.stepsMs[stepId] ?? null) ?? row.deadlineAt

/** Cancelling ends a deployment between the facts of its steps: no other one will tell how they ended. */
function withStepsCancelled(row: KeptDeployment, reason: string, at: string): KeptDeployment {
  const ended = (step: StepRow): StepRow => {
    if (step.state === 'running') return { ...step, state: 'cancelled', reason, endedAt: at, deadlineAt: null }
    if (step.state !== 'pending') return step
    return { ...step, state: 'skipped', reason: 'the deployment was cancelled', endedAt: at }
  }
  return { ...row, reason, steps: row.steps.map(ended) }
}

const withStep = (row: KeptDeployment, stepId: string, change: Partial<StepRow>): KeptDeployment => ({
  ...row,
  steps: row.steps.map((step) => (step.id === stepId ? { ...step, ...change } : step)),
})

/** What a step was waiting for is waited for no more when it has ended. */
function withStepEnded(row: KeptDeployment, stepId: string, change: Partial<StepRow>): KeptDeployment {
  const ended = withStep(row, stepId, { ...change, deadlineAt: null })
  const approval = row.approval?.stepId === stepId ? null : row.approval
  // A re-evaluation asks about the earlier steps on which newcomers catch up, and runs alone.
  const asksForOthers = row.steps.some(({ id, kind }) => id === stepId && kind === 'reevaluate-targets')
  const decisions = asksForOthers ? [] : row.decisions.filter((one) => one.stepId !== stepId)
  return approval === row.approval && decisions.length === row.decisions.length
    ? ended
    : waiting({ ...ended, approval, decisions })
}

/** Whether it waits for a person. */
const waiting = (row: KeptDeployment): KeptDeployment => ({
  ...row,
  state: row.approval !== null || row.decisions.length > 0 ? 'waiting' : 'running',
})

const isAbout = (one: AskedDecision, { stepId, machineId }: Pick<AskedDecision, 'stepId' | 'machineId'>): boolean =>
  one.stepId === stepId && one.machineId === machineId
