import type { TaskResult } from '#contracts/taskResult.ts'
import type { RunRequest } from '#services/deployment/run/decider.ts'
import { activeTasks, type RunTask } from '#services/deployment/run/state.ts'
import type { FleetMachine } from '#services/deployment/run/world.ts'
import type { Place } from './place.ts'

/** Something that may happen: to the world, to the run by a request, or both. Afterwards the run is always advanced. */
export interface Move {
  readonly name: string
  readonly place: Place
  readonly request: RunRequest
}

/** What may happen in a walk, beyond tasks and time. */
export interface Play {
  /** What may become of which machines. */
  readonly machines: Readonly<Record<string, readonly MachineMove[]>>
  readonly waitsMs: readonly number[]
  readonly failures?: readonly FailedReason[]
  readonly outputs?: Readonly<Record<string, string>>
  readonly cancel?: boolean
  /** Whom a person may exclude, and take in again. */
  readonly excludes?: readonly string[]
}

export type MachineMove = 'blinks' | 'is removed' | 'is restored' | 'is switched' | 'is taken' | 'moves' | 'is dirtied'
type Failed = Extract<TaskResult, { outcome: 'failed' }>
type FailedReason = Failed['reason']

const advance: RunRequest = { type: 'Advance' }

/** All that may happen next. */
export const movesFrom = (place: Place, play: Play): readonly Move[] => [
  ...activeTasks(place.run).flatMap((task) => taskMoves(place, play, task)),
  ...dirtyMoves(place),
  ...Object.entries(play.machines).flatMap(([machineId, moves]) =>
    moves.flatMap((move) => machineMove(place, place.fleet[machineId]!, move)),
  ),
  ...play.waitsMs.map((ms) => ({
    name: `${ms / 1_000} s pass`,
    place: { ...place, nowMs: place.nowMs + ms },
    request: advance,
  })),
  ...(place.first ? [] : turnMoves(place)),
  ...childMoves(place),
  ...personMoves(place, play),
  ...exclusionMoves(place, play),
]

/** A deployment that a step has asked for is made, and then ends one way or another. */
function childMoves(place: Place): readonly Move[] {
  if (!place.run.steps.some(({ child, state }) => child !== null && state === 'running')) return []
  const to = (child: NonNullable<Place['child']>): Move => ({
    ...{ name: `the other deployment is ${child}`, place: { ...place, child }, request: advance },
  })
  if (place.child === undefined) return [to('open')]
  return place.child === 'open' ? [to('succeeded'), to('failed'), to('cancelled')] : []
}

/** A task that was given up tells after all how it ended. */
const dirtyMoves = (place: Place): readonly Move[] =>
  place.run.dirty.toArray().flatMap((taskId) => {
    const task = place.run.tasks.get(taskId)
    return task === undefined ? [] : taskMoves(place, { failures: [] }, task)
  })

const turnMoves = (place: Place): readonly Move[] => [
  ...(place.holds?.length
    ? [{ name: 'it waits for the next', place: { ...place, holds: place.holds.slice(1) }, request: advance }]
    : []),
  { name: 'its turn comes', place: { ...place, first: true }, request: advance },
  { name: 'it is overtaken', place: { ...place, first: true, newer: '2.0' }, request: advance },
]

function taskMoves(
  place: Place,
  { failures = ['exit-code'], outputs = {} }: Pick<Play, 'failures' | 'outputs'>,
  task: RunTask,
): readonly Move[] {
  const { taskId, machineId, stepId } = task
  const about = `${stepId} on ${machineId}`
  const ended = (name: string, result: TaskResult): Move => ({
    ...{ name: `${about} ${name}`, place },
    request: { type: 'RecordTaskResult', taskId, machineId, result },
  })
  const rest = { durationMs: 1, logTruncated: false }
  return [
    ended('succeeds', { outcome: 'succeeded', outputs, ...rest }),
    ...failures.map((reason) => ended(reason, { outcome: 'failed', reason, exitCode: null, detail: '', ...rest })),
  ]
}

function machineMove(place: Place, machine: FleetMachine, move: MachineMove): readonly Move[] {
  const { machineId, registered, enabled, status, environmentId } = machine
  const to = (name: string, part: Partial<FleetMachine>): readonly Move[] => [
    {
      name: `${machineId} ${name}`,
      place: { ...place, fleet: { ...place.fleet, [machineId]: { ...machine, ...part } } },
      request: advance,
    },
  ]
  switch (move) {
    case 'blinks':
      if (!registered) return []
      return status === 'healthy'
        ? to('goes away', { status: 'unavailable', statusSince: place.nowMs })
        : to('comes back', { status: 'healthy', statusSince: place.nowMs })
    case 'is removed':
      return registered ? to(move, { registered: false }) : []
    case 'is restored':
      return registered ? [] : to(move, { registered: true })
    case 'is switched':
      return registered ? to(enabled ? 'is disabled' : 'is enabled', { enabled: !enabled }) : []
    case 'moves':
      return registered && environmentId === 'production' ? to('moves to staging', { environmentId: 'staging' }) : []
    case 'is dirtied':
      // What another deployment gave up there.
      return machine.dirtyWith === null ? to(move, { dirtyWith: 'of another' }) : to('is clean', { dirtyWith: null })
    case 'is taken': {
      const isTaken = place.busy.includes(machineId)
      // Nobody else can take a machine that this deployment holds.
      if (!isTaken && activeTasks(place.run).some((task) => task.machineId === machineId)) return []
      const busy = isTaken ? place.busy.filter((id) => id !== machineId) : [...place.busy, machineId]
      return [
        { name: `${machineId} is ${isTaken ? 'given back' : 'taken'}`, place: { ...place, busy }, request: advance },
      ]
    }
  }
}

function personMoves(place: Place, { cancel = true }: Play): readonly Move[] {
  const { run } = place
  const cancelling: readonly Move[] =
    cancel && run.cancel === null && run.status !== 'ended'
      ? [{ name: 'is cancelled', place, request: { type: 'Cancel', reason: 'enough' } }]
      : []
  if (run.status !== 'running') return cancelling
  const choices = run.questions
    .valueSeq()
    .filter(
      ({ answer, deadlineAt, stepId, machineId }) =>
        answer === 'open' &&
        place.nowMs < deadlineAt &&
        run.cancel === null &&
        run.targets.get(machineId)?.excluded == null &&
        run.steps.some(({ definition, state }) => definition.id === stepId && state === 'running'),
    )
    .toArray()
    .flatMap(({ options, stepId, machineId }) =>
      options.map((decision): Move => ({
        ...{ name: `${decision} ${stepId} on ${machineId}`, place },
        request: { type: 'Decide', decision, comment: '', stepId, machineId },
      })),
    )
  const { approval } = run
  const isHeld = run.steps.some(({ definition, state }) => definition.id === approval?.stepId && state === 'running')
  if (approval?.answer !== 'open' || !isHeld) return [...cancelling, ...choices]
  const decide = (decision: 'approve' | 'reject'): Move => ({
    ...{ name: decision, place },
    request: { type: 'Decide', decision, comment: '' },
  })
  return [...cancelling, ...choices, decide('approve'), decide('reject')]
}

function exclusionMoves(place: Place, { excludes = [] }: Play): readonly Move[] {
  const { run, fleet } = place
  if (run.status === 'ended') return []
  const to = (type: 'ExcludeTarget' | 'IncludeTarget', machineId: string): Move => ({
    ...{ name: `${type} ${machineId}`, place },
    request: { type, machineId, reason: 'a person says so' },
  })
  return excludes.flatMap((machineId) => {
    if (!run.barred.has(machineId)) return [to('ExcludeTarget', machineId)]
    const { registered = false, enabled = false } = fleet[machineId] ?? {}
    const isOut = run.targets.get(machineId)?.excluded?.cause === 'person'
    return isOut && registered && enabled && run.cancel === null ? [to('IncludeTarget', machineId)] : []
  })
}
