import { describe, expect, it } from 'vitest'
import type { Created } from '#services/deployment/run/state.ts'
import { play } from './play.ts'
import { machine, TestWorld } from './world.ts'

const install = { id: 'install', roles: ['web'] }
const find = { id: 'find', kind: 'reevaluate-targets', from: { roles: ['web'] }, expect: { min: 0 } }
const ended = (steps: readonly object[], part: Partial<Created> = {}, world = new TestWorld()) =>
  play(world, steps, part).ending

describe('a deployment that finds no target', () => {
  it('fails and says so, and how to have it otherwise', () =>
    expect(ended([install])).toEqual({
      type: 'DeploymentFailed',
      reason: 'no machine of production is a target for the roles web; allow it to have no targets if that is meant',
      outcomes: {},
    }))
  it('fails with the reasons of those that are left out, which are written down as well', () => {
    const world = new TestWorld(machine('m-1', { enabled: false }), machine('m-2', { hasAgent: false }))
    const one = play(world, [install])
    expect(one.ending?.reason).toContain('m-1 is left out (disabled), m-2 is left out (no-agent)')
    expect(one.of('TargetsEvaluated')[0]?.data.excluded).toHaveLength(2)
    expect(one.types).not.toContain('StepStarted')
  })
  it('fails when the machines named have all gone in the meantime', () => {
    const world = new TestWorld(machine('m-1', { registered: false }))
    expect(ended([install], { machineIds: ['m-1'] }, world)?.reason).toMatch(/^none of the machines named is a target/)
  })
  it('is asked about again with the same answer, once it has ended', () => {
    const one = play(new TestWorld(), [install])
    expect(one.advance(1_000_000)).toEqual([])
  })

  it.each<[string, readonly object[], Partial<Created>]>([
    ['when it may have none', [install], { allowNoTargets: true }],
    ['when policy asked for it', [install], { kind: 'automatic', machineIds: ['m-1'] }],
    ['when it looks for targets itself', [install, find], {}],
    ['when nothing of it runs on targets', [{ id: 'ask', kind: 'approval', message: 'go?' }], {}],
  ])('does not fail for that %s', (_, steps, part) => {
    const one = play(new TestWorld(), steps, part)
    if (steps.some((step) => 'kind' in step && step.kind === 'approval')) one.decide('approve')
    expect(one.ending).toEqual({ type: 'DeploymentSucceeded', reason: null, outcomes: {} })
  })
})
