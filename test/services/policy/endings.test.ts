import { describe, expect, it } from 'vitest'
import { endedFor, isForAutomaticDeployments, type Ending } from '#services/policy/endings.ts'
import { processOf } from '../deployment/run/play.ts'

const deploymentId = '00000000-0000-4000-8000-000000000000'
const asked = ['a', 'b', 'c']
const ending = (type: Ending['type'], outcomes: Record<string, string>) =>
  ({
    type,
    data: {
      ...{ deploymentId, reason: 'x' },
      outcomes: Object.entries(outcomes).map(([machineId, outcome]) => ({
        machineId,
        name: '',
        outcome,
        reason: null,
      })),
    },
  }) as Ending

describe('what an automatic deployment came to', () => {
  it.each([
    ['all well', 'DeploymentSucceeded', { a: 'succeeded', b: 'succeeded', c: 'succeeded' }, 'abc', ''],
    ['some left out', 'DeploymentSucceeded', { a: 'succeeded', b: 'excluded', c: 'failed' }, 'a', 'c'],
    ['one failed, others not reached', 'DeploymentFailed', { a: 'failed', b: 'untouched', c: 'succeeded' }, 'c', 'a'],
    ['one lost', 'DeploymentSucceeded', { a: 'lost', b: 'succeeded', c: 'succeeded' }, 'bc', 'a'],
    ['nobody failed and yet it did', 'DeploymentFailed', { a: 'untouched', b: 'untouched', c: 'untouched' }, '', 'abc'],
    ['all gone', 'DeploymentFailed', { a: 'excluded', b: 'excluded', c: 'excluded' }, '', 'abc'],
    ['cancelled by a person', 'DeploymentCancelled', { a: 'succeeded', b: 'cancelled', c: 'untouched' }, 'a', 'bc'],
    ['cancelled before it began', 'DeploymentCancelled', {}, '', 'abc'],
    ['one that was no target after all', 'DeploymentSucceeded', { a: 'succeeded', b: 'succeeded' }, 'ab', 'c'],
    [
      'more than was asked for',
      'DeploymentSucceeded',
      { a: 'succeeded', b: 'succeeded', c: 'excluded', d: 'failed' },
      'ab',
      '',
    ],
  ] as const)('%s', (_, type, outcomes, succeeded, failed) =>
    expect(endedFor(asked, ending(type, outcomes))).toEqual({
      deploymentId,
      succeeded: succeeded.split('').filter(Boolean),
      failed: failed.split('').filter(Boolean),
    }),
  )
})

describe('a step that automatic deployments run', () => {
  it.each([
    ['a script on targets', {}, true],
    ['a script on a worker', { on: 'worker' }, false],
    ['a script on a worker that says so', { on: 'worker', automatic: true }, true],
    ['a script on targets that says otherwise', { automatic: false }, false],
    ['a health check', { kind: 'health-check' }, true],
    ['an approval', { kind: 'approval', message: 'x' }, false],
  ])('%s: %o %s', (_, step, isIt) =>
    expect(isForAutomaticDeployments(processOf({ id: 'a', ...step }).steps[0]!)).toBe(isIt),
  )
})
