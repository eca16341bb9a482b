import { describe, expect, it } from 'vitest'
import type { Created } from '#services/deployment/run/state.ts'
import { failed, processOf, RunPlay, succeeded, taskIdOf } from './play.ts'
import { machine, startMs, TestWorld } from './world.ts'

const away = { status: 'unavailable', statusSince: startMs } as const
const steps = [
  { id: 'install', catchUp: true },
  { id: 'ask', kind: 'approval', message: 'go?' },
  { id: 'smoke' },
] as const

interface Story {
  /** Before it is created. */
  readonly first?: (world: TestWorld) => void
  /** While `install` runs. */
  readonly during?: (one: RunPlay) => void
  /** While a person is asked. */
  readonly held?: (one: RunPlay) => void
  readonly changes?: Partial<Created>
  readonly joiners?: 'include'
  /** What becomes of the machine, of the deployment, and which steps it ran. */
  readonly outcome: string | undefined
  readonly reason?: string
  readonly end?: 'DeploymentSucceeded' | 'DeploymentFailed'
  readonly ran?: readonly string[]
}

const [both, noStep] = [['install', 'smoke'], []] as const
const change =
  (part: Parameters<TestWorld['change']>[1], ms = 0) =>
  (one: RunPlay) => {
    one.world.change('m-2', part)
    one.advance(ms)
  }
const lose = (one: RunPlay) => {
  one.world.expired.add(taskIdOf('install', 'm-2'))
  one.advance()
}
const fixed = { elastic: false }
const fails = 'DeploymentFailed'

/** Every row of the table in the README, told as a story about `m-2` beside `m-1`, which is always well. */
const stories: Readonly<Record<string, Story>> = {
  'nothing happens': { outcome: 'succeeded', ran: both },
  'it is dead at the start': {
    ...{ first: (world) => world.change('m-2', away), outcome: 'excluded', ran: noStep },
    reason: 'not-contactable: it could not be contacted within 120 s',
  },
  'it is dead at the start and comes back in time': {
    ...{
      first: (world) => world.change('m-2', away),
      during: change({ status: 'healthy' }),
      outcome: 'succeeded',
      ran: both,
    },
  },
  'it is dead at the start, where machines stay': {
    ...{ first: (world) => world.change('m-2', away), changes: fixed, outcome: 'untouched', end: fails, ran: noStep },
  },
  'it dies in the middle of a task': {
    ...{ during: lose, outcome: 'lost', reason: 'step install: lease-expired', ran: noStep },
  },
  'it dies in the middle of a task, where machines stay': {
    ...{ during: lose, changes: fixed, outcome: 'lost', end: fails, ran: noStep },
  },
  'it dies between two steps': {
    ...{ held: change({ ...away, statusSince: startMs + 1 }), outcome: 'excluded', ran: ['install'] },
    reason: 'not-contactable: it could not be contacted within 120 s',
  },
  'it is removed in the middle': {
    ...{ during: change({ registered: false }), outcome: 'excluded', reason: 'removed: m-2 was removed', ran: noStep },
  },
  'it is removed between two steps': {
    ...{
      held: change({ registered: false }),
      outcome: 'excluded',
      reason: 'removed: m-2 was removed',
      ran: ['install'],
    },
  },
  'it moves to another environment': {
    ...{ held: change({ environmentId: 'staging' }), outcome: 'excluded', reason: 'removed: m-2 was moved to staging' },
  },
  'it is disabled before its turn': {
    ...{ first: (world) => world.change('m-2', { enabled: false }), outcome: undefined, ran: noStep },
  },
  'it is disabled in the middle, and its task ends': {
    ...{
      during: change({ enabled: false }),
      outcome: 'excluded',
      reason: 'disabled: m-2 was disabled',
      ran: ['install'],
    },
  },
  'it is disabled and enabled again': {
    ...{
      held: (one) => [false, true].forEach((enabled) => change({ enabled })(one)),
      outcome: 'excluded',
      ran: ['install'],
    },
  },
  'it is disabled and enabled again, and joiners are taken in': {
    ...{ held: (one) => [false, true].forEach((enabled) => change({ enabled })(one)), joiners: 'include' },
    ...{ outcome: 'succeeded', ran: both },
  },
  'it failed, and is as good as new': {
    ...{
      during: (one) => one.end('install', 'm-2', failed()),
      changes: {},
      outcome: 'failed',
      end: fails,
      ran: noStep,
    },
  },
  'its roles change to others that the release is for': {
    ...{ held: change({ roles: ['web', 'odd'] }), outcome: 'succeeded', ran: both },
  },
  'its roles change to none that the release is for': {
    ...{ held: change({ roles: ['odd'] }), outcome: 'excluded', ran: ['install'] },
    reason: 'roles-changed: its roles were web and are odd',
  },
  'it joins late': {
    ...{ first: (world) => world.change('m-2', { registered: false }), held: change({ registered: true }) },
    ...{ outcome: undefined, ran: noStep },
  },
  'it joins late and is taken in': {
    ...{ first: (world) => world.change('m-2', { registered: false }), held: change({ registered: true }) },
    ...{ joiners: 'include', outcome: 'succeeded', ran: both },
  },
  'a person excludes it between two steps': {
    held: (one) => one.ask({ type: 'ExcludeTarget', machineId: 'm-2', reason: 'no' }),
    ...{ outcome: 'excluded', reason: 'person: no', ran: ['install'] },
  },
  'a person excludes it and takes it in again': {
    held: (one) =>
      (['ExcludeTarget', 'IncludeTarget'] as const).forEach((type) =>
        one.ask({ type, machineId: 'm-2', reason: 'no' }),
      ),
    ...{ outcome: 'succeeded', ran: both },
  },
}

describe('what becomes of a target when', () => {
  it.each(Object.entries(stories))('%s', (_, { first, during, held, changes, joiners, ...expected }) => {
    const world = new TestWorld(machine('m-1'), machine('m-2'))
    first?.(world)
    const named = steps.map((step) => ('kind' in step ? step : { ...step, roles: ['web'] }))
    const one = new RunPlay(world, { ...processOf(...named), ...(joiners && { joiners }) }, changes).create()
    during?.(one)
    finish(one)
    if (one.state.approval?.answer === 'open') {
      held?.(one)
      one.decide('approve')
      finish(one)
    }
    const { outcome, reason, end = 'DeploymentSucceeded', ran } = expected
    expect(one.ending).toMatchObject({ type: end })
    expect(one.ending!.outcomes['m-2']).toBe(outcome)
    if (reason !== undefined) expect(reasonOf(one)).toBe(reason)
    if (ran !== undefined) expect(ranOn(one)).toEqual(ran)
  })
})

/** Whatever is at work ends well, and what waits for a machine waits until its time is over. */
function finish(one: RunPlay): void {
  for (let turn = 0; turn < 20 && one.ending === null && one.state.approval?.answer !== 'open'; turn++) {
    const [next] = one.state.active
    const task = next === undefined ? undefined : one.state.tasks.get(next)
    if (task !== undefined && next !== undefined) {
      const { taskId, machineId } = task
      one.ask({ type: 'RecordTaskResult', taskId, machineId, result: succeeded() })
    } else one.advance(60_000)
  }
}

const reasonOf = (one: RunPlay) => {
  const end = one.facts.at(-1)
  if (end === undefined || !('outcomes' in end.data)) return undefined
  return end.data.outcomes.find(({ machineId }) => machineId === 'm-2')?.reason
}

const ranOn = (one: RunPlay) =>
  one.of('TaskSucceeded').flatMap(({ data }) => (data.machineId === 'm-2' ? [data.stepId] : []))
