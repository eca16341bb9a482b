import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { DeploymentEvent } from '#contracts/deployment.ts'
import { Process } from '#contracts/process.ts'
import { differenceOf, isVersion, planAfter, stepsOf } from '#services/query/plan/plan.ts'
import { planChanges } from '#services/query/views/planChanges.ts'
import * as f from '../facts.ts'
import { rowsOf } from '../views/given.ts'

const process = Process.parse({
  steps: [
    { kind: 'script', id: 'build', script: 'true', on: 'worker' },
    {
      kind: 'script',
      id: 'install',
      script: 'true',
      roles: ['web'],
      catchUp: true,
      canary: { size: 1, hold: { forMs: 1 } },
    },
    { kind: 'health-check', id: 'check', name: 'Check', start: 'with-previous' },
    { kind: 'approval', id: 'go', message: 'Go?' },
  ],
})
const begun = (stepId: string, ...machineIds: string[]): DeploymentEvent => ({
  type: 'StepStarted',
  data: { deploymentId: f.deploymentId, stepId, machineIds, startedAt: 1 },
})
const caughtUp = (...added: string[]): DeploymentEvent => ({
  type: 'TargetsReevaluated',
  data: {
    ...{ deploymentId: f.deploymentId, stepId: 'go', removed: [], kept: [], catchUp: ['install'], seenPosition: 1 },
    added: added.map((id) => ({ machineId: id, name: `${id}-name`, roles: ['web'], reason: 'new' })),
  },
})

const came = (id: string) => ({ machineId: id, name: `${id}-name`, reason: 'late' })
const between = (joined: string[], ignored: string[]): DeploymentEvent => ({
  type: 'TargetsRevalidated',
  data: {
    ...{ deploymentId: f.deploymentId, stepId: 'go', ignored: ignored.map(came), seenPosition: 1, at: 1 },
    joined: joined.map((id) => ({ ...came(id), roles: ['web'], catchUp: ['install'] })),
  },
})
const back = (id: string): DeploymentEvent => ({
  type: 'TargetIncluded',
  data: { deploymentId: f.deploymentId, stepId: 'go', ...came(id), roles: ['web'], catchUp: ['install'], at: 1 },
})

const changes = (...facts: DeploymentEvent[]) => [...rowsOf(planChanges, [f.created({ process }), ...facts]).values()]
const plan = (...facts: DeploymentEvent[]) => planAfter(changes(...facts))
const idsOf = (...facts: DeploymentEvent[]) => [...plan(...facts).targets.keys()]
const step = (id: string, ...facts: DeploymentEvent[]) => stepsOf(plan(...facts)).find((one) => one.id === id)!

describe('a plan', () => {
  it('begins with steps and nobody they are for', () => {
    expect(plan()).toMatchObject({ version: 1, at: '1970-01-01T00:00:01.000Z' })
    expect(stepsOf(plan()).map(({ id, group, machineIds }) => [id, group, machineIds])).toEqual([
      ['build', 0, []],
      ['install', 1, []],
      ['check', 1, []],
      ['go', 2, []],
    ])
  })
  it('has a version for each change of targets and steps, and for nothing else', () => {
    const facts = [
      f.started(),
      f.evaluated(['a', 'b']),
      begun('install', 'a', 'b'),
      f.dispatched('a'),
      f.taskFailed('a'),
    ]
    expect(plan(...facts).version).toBe(2)
    expect(plan(...facts, f.excluded('a', 'failed'), f.stepEnded('StepSkipped', 'go')).version).toBe(4)
  })
  it('follows who comes and who leaves', () => {
    expect(idsOf(f.evaluated(['a', 'b'], ['c']))).toEqual(['a', 'b'])
    expect(idsOf(f.evaluated(['a', 'b']), f.excluded('a'))).toEqual(['b'])
    expect(idsOf(f.evaluated(['a', 'b']), f.reevaluated(['d'], ['a']))).toEqual(['b', 'd'])
    expect(idsOf(f.evaluated(['a']), f.excluded('a'), f.reevaluated(['a'], []))).toEqual(['a'])
  })
  it('says which targets a step is for: by role, and as it began once it has', () => {
    const facts = [f.evaluated(['a', 'b', 'c'])]
    expect(step('install', ...facts).machineIds).toEqual(['a', 'b', 'c'])
    expect(step('build', ...facts).machineIds).toEqual([])
    expect(step('install', ...facts, begun('install', 'c', 'a')).machineIds).toEqual(['c', 'a'])
    expect(step('install', ...facts, begun('install', 'c', 'a'), f.excluded('c')).machineIds).toEqual(['a'])
  })
  it('lets newcomers catch up on the steps that are marked for it', () => {
    const facts = [f.evaluated(['a']), begun('install', 'a'), begun('check', 'a'), caughtUp('n')]
    expect(step('install', ...facts).machineIds).toEqual(['a', 'n'])
    expect(step('check', ...facts).machineIds).toEqual(['a'])
  })
  it('takes in who came between the steps, with what each of them makes up for', () => {
    const facts = [
      f.evaluated(['a', 'b']),
      begun('install', 'a', 'b'),
      f.excluded('b'),
      between(['n'], ['x']),
      back('b'),
    ]
    expect(idsOf(...facts)).toEqual(['a', 'n', 'b'])
    expect(step('install', ...facts).machineIds).toEqual(['a', 'b', 'n'])
    expect(step('check', ...facts).machineIds).toEqual(['a', 'n', 'b'])
    expect(differenceOf(plan(), plan(...facts)).notLetIn).toEqual([
      { machineId: 'x', name: 'x-name', reason: 'late', version: 4 },
    ])
  })
  it('marks the canary, and the next one when it leaves', () => {
    const facts = [f.evaluated(['a', 'b', 'c']), begun('install', 'c', 'b', 'a')]
    expect(step('install', f.evaluated(['a', 'b'])).canary).toBeNull()
    expect(step('install', ...facts).canary).toEqual(['c'])
    expect(step('install', ...facts, f.excluded('c')).canary).toEqual(['b'])
    expect(step('install', f.evaluated(['a']), begun('install', 'a')).canary).toBeNull()
  })
  it('keeps why a step will not run', () => {
    expect(step('go', f.stepEnded('StepSkipped', 'go')).skipped).toBe('because')
  })
})

describe('the difference of two versions', () => {
  const facts = [f.evaluated(['a', 'b'], ['z']), f.excluded('a', 'failed'), f.reevaluated(['n'], ['b'])]
  const at = (version: number) => planAfter(changes(...facts.slice(0, version - 1)))

  it('names who came and who left, why, and with which version', () => {
    expect(differenceOf(at(2), at(4))).toMatchObject({
      against: 2,
      added: [{ machineId: 'n', name: 'n-name', reason: 'new', version: 4 }],
      removed: [
        { machineId: 'a', name: 'a-name', reason: 'failed: no answer', version: 3 },
        { machineId: 'b', name: 'b-name', reason: 'disabled', version: 4 },
      ],
      notLetIn: [],
    })
    expect(differenceOf(at(1), at(2)).notLetIn).toMatchObject([{ machineId: 'z', reason: 'disabled' }])
  })
  it('names the steps that will not run', () => {
    const after = plan(...facts, f.stepEnded('StepSkipped', 'go'))
    expect(differenceOf(at(4), after).steps).toEqual([{ id: 'go', name: 'go', reason: 'because' }])
  })

  const ids = ['a', 'b', 'c', 'd']
  const some = fc.subarray(ids)
  const move = fc.oneof(
    some.map((on) => f.evaluated(on, [])),
    fc.constantFrom(...ids).map((id) => f.excluded(id)),
    fc.tuple(some, some).map(([on, off]) =>
      f.reevaluated(
        on,
        off.filter((id) => !on.includes(id)),
      ),
    ),
    some.map((on) => begun('install', ...on)),
  )
  it('always leads from one to the other, both ways, and nothing else does', () => {
    fc.assert(
      fc.property(fc.array(move, { maxLength: 12 }), fc.nat(13), (facts, cut) => {
        const all = changes(...facts)
        const [before, after] = [planAfter(all.slice(0, cut)), planAfter(all)]
        for (const [from, to] of [
          [before, after],
          [after, before],
        ] as const) {
          const { added, removed } = differenceOf(from, to)
          const left = new Set(removed.map(({ machineId }) => machineId))
          const led = [...from.targets.keys()].filter((id) => !left.has(id))
          expect([...led, ...added.map(({ machineId }) => machineId)].sort()).toEqual([...to.targets.keys()].sort())
        }
        expect(after.version).toBe(all.filter(isVersion).length)
      }),
    )
  })
})
