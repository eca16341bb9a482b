import { describe, expect, it } from 'vitest'
import type { DeploymentEvent } from '#contracts/deployment.ts'
import { lawsBroken } from './walk/factLaws.ts'
import type { Play } from './walk/moves.ts'
import { after, beginning, decideAt, deploymentId, machine, worldOf, type Place } from './walk/place.ts'
import { walk } from './walk/walk.ts'

const part = { timeLimitMs: 60_000 }
const script = (id: string, more: object = {}) => ({ id, kind: 'script', script: 'true', ...part, ...more })
const onWorker = (id: string, more: object = {}) => script(id, { on: 'worker', ...more })
const find = (id: string, from: object, more: object = {}) => ({
  ...{ id, kind: 'reevaluate-targets', from, expect: { withinMs: 100_000 }, ...more },
})
const retire = (from?: object) => ({ id: 'retire', kind: 'deregister-machines', timeLimitMs: 100_000, from })
const approval = { id: 'ask', kind: 'approval', message: 'go?', timeLimitMs: 100_000 }
const healthCheck = { id: 'well', kind: 'health-check', onUnavailable: 'exclude', timeLimitMs: 100_000 }

const [one, two, three] = [machine('m-1'), machine('m-2'), machine('m-3')]
const worker = machine('w', { roles: ['worker'] })
const away = { status: 'unavailable' } as const
const web = { roles: ['web'] }

/** Longer than every lease, budget and time limit here; and longer than the wait for another try alone. */
const long = 130_000
const short = 6_000
const outputs = { NEW: 'n-1', OLD: 'm-1' }
const fickle: Play = {
  machines: { 'm-1': ['blinks', 'is removed', 'is switched', 'is taken'], 'm-2': ['blinks'] },
  waitsMs: [long],
}
const windowed = [script('a', { window: 1 }), script('b', { condition: 'always' })]
const beside = { start: 'with-previous' }
const retried = { attemptsMax: 2, retryAfterMs: 5_000 }

const walks: Record<string, { from: ReturnType<typeof beginning>; play: Play; movesMax: number }> = {
  'two steps on two machines that come and go': { from: beginning([one, two], windowed), play: fickle, movesMax: 6 },
  'the same where machines stay': {
    from: beginning([one, two], windowed, { elastic: false }),
    play: fickle,
    movesMax: 6,
  },
  'tries again, and goes on without those that fail': {
    from: beginning(
      [one, two, three],
      [script('a', { window: '50%', onFailure: 'exclude', ...retried }), script('undo', { condition: 'failure' })],
    ),
    play: {
      machines: { 'm-1': ['blinks', 'is removed'] },
      waitsMs: [short, long],
      failures: ['exit-code', 'interrupted'],
    },
    movesMax: 5,
  },
  'a step that may run twice': {
    from: beginning([one, two], [script('a', { repeatable: true, ...retried })], { elastic: false }),
    play: { machines: { 'm-1': ['blinks', 'is removed'] }, waitsMs: [short, long], failures: ['interrupted'] },
    movesMax: 6,
  },
  'a swap: make machines, go over to them, install, take the old ones out': {
    from: beginning(
      [worker, one, machine('n-1', { registered: false })],
      [onWorker('make', retried), find('find', { output: 'make.NEW' }), script('install'), retire()],
      { machineIds: ['m-1'] },
    ),
    play: {
      machines: {
        ...{ w: ['blinks'], 'm-1': ['is removed', 'is restored', 'moves'] },
        'n-1': ['is restored', 'blinks', 'is switched'],
      },
      ...{ waitsMs: [long], outputs },
    },
    movesMax: 7,
  },
  'machines that join, make up for what they missed, and come twice': {
    from: beginning(
      [one, machine('m-2', { enabled: false }), machine('m-3', away)],
      [
        script('base', { catchUp: true, window: '50%' }),
        approval,
        find('find', web, { mode: 'add' }),
        script('install'),
      ],
    ),
    play: {
      machines: { 'm-1': ['is removed', 'is restored'], 'm-2': ['is switched'], 'm-3': ['blinks'] },
      waitsMs: [long],
    },
    movesMax: 7,
  },
  'a question, a health check, and targets evaluated twice': {
    from: beginning(
      [worker, one, two],
      [
        ...[approval, find('find', web), healthCheck, script('install', { catchUp: true })],
        ...[find('again', web, { expect: { min: 0 } }), retire(), onWorker('undo', { condition: 'failure' })],
      ],
    ),
    play: {
      machines: { 'm-1': ['blinks', 'is switched'], 'm-2': ['blinks', 'is removed', 'is restored'] },
      waitsMs: [long],
    },
    movesMax: 6,
  },
  'machines named to be taken out, by one that waits for its turn': {
    from: beginning(
      [worker, one, two],
      [onWorker('make'), retire({ output: 'make.OLD' })],
      { machineIds: ['m-2'] },
      false,
    ),
    play: {
      machines: {
        ...{ 'm-1': ['is removed', 'is restored', 'moves'], 'm-2': ['is removed'] },
        w: ['is removed', 'is taken'],
      },
      ...{ waitsMs: [long], outputs },
    },
    movesMax: 6,
  },
  'two steps side by side, and one behind them': {
    from: beginning(
      [worker, one, two],
      [
        script('a', { window: 1, onFailure: 'exclude', ...retried }),
        ...[script('b', beside), onWorker('tell', { condition: 'always', ...beside }), script('c')],
      ],
    ),
    play: { machines: { 'm-1': ['blinks', 'is removed'] }, waitsMs: [short, long] },
    movesMax: 5,
  },
  'a minimum that stays healthy': {
    from: beginning([one, two, three], [script('a', { minimumHealthy: 2, onFailure: 'exclude', ...retried })]),
    play: { machines: { 'm-1': ['blinks', 'is removed'], 'm-2': ['blinks'] }, waitsMs: [short, long] },
    movesMax: 6,
  },
  'a run whose time is over, and what clears up after it': {
    from: beginning(
      [worker, one, two],
      [script('a', { window: 1 }), script('b', beside), approval, onWorker('undo', { condition: 'failure' })],
      { timeLimitMs: 20_000 },
    ),
    play: { machines: { 'm-1': ['blinks', 'is removed'] }, waitsMs: [short, long] },
    movesMax: 5,
  },
  'a canary that is watched for a while': {
    from: beginning(
      [one, two, three],
      [script('a', { canary: { size: 1, hold: { forMs: 60_000 } }, onFailure: 'exclude' })],
    ),
    play: { machines: { 'm-1': ['blinks', 'is removed'], 'm-2': ['blinks'] }, waitsMs: [short, long] },
    movesMax: 6,
  },
  'a canary that a person looks at, beside another step': {
    from: beginning(
      [worker, one, two],
      [
        script('a', { canary: { size: '50%', hold: { approval: 'go on?', withinMs: 200_000 } }, onFailure: 'ask' }),
        onWorker('tell', beside),
      ],
    ),
    play: { machines: { 'm-1': ['is removed'] }, waitsMs: [long] },
    movesMax: 6,
  },
  'a release of another project, and what comes after it': {
    from: beginning(
      [one, two],
      [
        { id: 'other', kind: 'deploy-release', project: 'database', version: 'latest', timeLimitMs: 100_000 },
        script('a', { window: 1 }),
      ],
      { timeLimitMs: 200_000 },
    ),
    play: { machines: { 'm-1': ['blinks', 'is removed'] }, waitsMs: [short, long] },
    movesMax: 6,
  },
  'a person who is asked about targets that fail': {
    from: beginning([one, two], [script('a', { onFailure: 'ask', askWithinMs: 200_000, ...retried }), script('b')], {
      elastic: false,
    }),
    play: { machines: { 'm-1': ['blinks', 'is removed'] }, waitsMs: [short, long] },
    movesMax: 5,
  },
  'a person who is asked about a worker, and about newcomers that catch up': {
    from: beginning(
      [worker, one, machine('m-2', { enabled: false })],
      [
        { id: 'make', kind: 'http', url: 'https://a', onFailure: 'ask', askWithinMs: 200_000, ...part },
        script('base', { catchUp: true, onFailure: 'ask', askWithinMs: 200_000 }),
        find('find', web, { mode: 'add', expect: { min: 2, withinMs: 100_000 } }),
      ],
    ),
    play: { machines: { 'm-2': ['is switched'] }, waitsMs: [long], cancel: true },
    movesMax: 7,
  },
  'a health check beside a step that leaves nobody out': {
    from: beginning([one, two], [script('a', { window: 1 }), { ...healthCheck, ...beside }, script('b')]),
    play: fickle,
    movesMax: 6,
  },
  'an automatic deployment that waits for its turn': {
    from: beginning(
      [one, two],
      [approval, script('a', retried), onWorker('tell'), script('smoke', { automatic: false }), healthCheck],
      { kind: 'automatic', machineIds: ['m-1', 'm-2'] },
      false,
    ),
    play: { machines: { 'm-1': ['blinks', 'is removed', 'is switched'] }, waitsMs: [short, long] },
    movesMax: 5,
  },
}

describe('a run keeps its promises in every history of', () => {
  it.each(Object.entries(walks))('%s', { timeout: 120_000 }, (_, { from, play, movesMax }) => {
    const { broken, places, histories, endings } = walk(from, play, movesMax)
    expect(broken).toEqual([])
    expect([...endings].toSorted()).toEqual(['cancelled', 'failed', 'succeeded'])
    expect(places).toBeGreaterThan(1_000)
    expect(histories).toBeGreaterThan(places)
  })
})

describe('the laws notice', () => {
  const { place, create } = beginning([one, two, three], [script('a', { window: 1 }), script('b')])
  const begun: Place = { ...place, run: after(place.run, decideAt(place, create) as readonly DeploymentEvent[]) }
  const fact = <Type extends DeploymentEvent['type']>(type: Type, data: object) =>
    ({ type, data: { deploymentId, stepId: 'a', ...data } }) as unknown as DeploymentEvent
  const dispatched = (machineId: string, attempt = 1) =>
    fact('TaskDispatched', { machineId, attempt, taskId: `${machineId}.${attempt}`, dispatchedAt: 0, timeLimitMs: 1 })
  const done = fact('TaskSucceeded', { taskId: `${deploymentId}.a.m-1.1`, machineId: 'm-1', outputs: {} })
  const cancelled = fact('DeploymentCancelRequested', { reason: 'enough', requestedAt: 0 })

  it.each([
    ['one too many at once', [dispatched('m-2')], 'a window is never exceeded'],
    ['two tasks on one machine', [dispatched('m-1', 2)], 'one task at a time on a machine'],
    [
      'what begins after a cancel',
      [done, cancelled, dispatched('m-2')],
      'nothing begins after a cancel but what undoes',
    ],
    ['what is done again', [done, dispatched('m-1', 2)], 'what has succeeded is not done again'],
    ['success that is invented', [done, fact('StepSucceeded', {})], 'success is never invented'],
    [
      'a target that is forgotten',
      [done, fact('DeploymentSucceeded', { outcomes: [] })],
      'one outcome for every target it ever had',
    ],
    ['an end before its time', [fact('DeploymentSucceeded', { outcomes: [] })], 'a run ends when nothing runs'],
    [
      'a target that is taken out',
      [fact('MachineDeregistrationRequested', { machineId: 'm-1' })],
      'what serves is never taken out',
    ],
  ])('%s', (_, facts, law) => {
    const before = after(begun.run, facts.slice(0, -1))
    expect(lawsBroken(before, facts.at(-1)!, worldOf(begun), begun.nowMs)).toContain(law)
  })
})
