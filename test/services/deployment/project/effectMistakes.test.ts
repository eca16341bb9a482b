import { describe, expect, it } from 'vitest'
import { processMistakes } from '#services/deployment/project/mistakes.ts'
import { swapSteps } from '../run/swap/swapping.ts'
import { processOf } from '../run/play.ts'

const worker = { kind: 'script', on: 'worker', script: 'true' }
const named = { output: 'say.names' }
const say = { ...worker, id: 'say' }
const create = { ...worker, id: 'create', effect: { does: 'create', machines: { output: 'create.machines' } } }
const does = (what: string, machines: unknown = 'previous', more: object = {}) => ({
  ...worker,
  id: 'a',
  effect: { does: what, machines, ...more },
})
const undoes = (stepId: string, more: object = {}) => ({ ...worker, id: 'u', undoes: stepId, ...more })

describe('what a step does to machines, or undoes, that could never be', () => {
  it.each<readonly [string, readonly object[], string | RegExp]>([
    ['on targets', [{ ...does('detach'), on: 'targets' }], 'step a: an effect is for steps on a worker'],
    [
      'in automatic deployments',
      [{ ...does('detach'), automatic: true }],
      /^step a: an effect is no part of automatic/,
    ],
    [
      'a minimum where nothing is taken out',
      [does('destroy', 'previous', { minimumServing: 1 })],
      'step a: minimumServing is for steps that detach or drain',
    ],
    [
      'a minimum above all that a deployment takes',
      [does('detach', 'previous', { minimumServing: 5_000 })],
      'step a: minimumServing 5000 can never be kept: a deployment takes 5000 machines at most',
    ],
    [
      'sets that stay where none is destroyed',
      [say, does('destroy', named, { keep: 1 })],
      'step a: keep is for steps that destroy what served before',
    ],
    [
      'one that creates and names them elsewhere',
      [say, does('create', named)],
      'step a: a step that creates names its machines in an output of its own: a.<name>',
    ],
    [
      'one that names itself what it is about',
      [does('detach', { output: 'a.names' })],
      'step a: what it is about is not known before it runs: name an earlier step',
    ],
    ['an output of nobody', [does('detach', named)], 'step a: output say.names is set by no script step before it'],
    [
      'what another was about, without another',
      [does('detach', 'undone')],
      'step a: machines undone is for steps that undo one with an effect',
    ],
    [
      'what another was about that has no effect',
      [say, undoes('say', { effect: { does: 'detach', machines: 'undone' } })],
      'step u: machines undone is for steps that undo one with an effect',
    ],
    ['undoing on targets', [say, undoes('say', { on: 'targets' })], 'step u: only steps on a worker undo others'],
    ['undoing nothing', [undoes('say')], 'step u: there is no step say before it that it could undo'],
    ['undoing what comes later', [undoes('say'), say], 'step u: there is no step say before it that it could undo'],
    ['undoing what undoes', [say, undoes('say'), undoes('u', { id: 'v' })], 'step v: step u undoes another itself'],
    [
      'undoing side by side',
      [say, undoes('say', { start: 'with-previous' })],
      'step u: a step that undoes another runs alone',
    ],
    [
      'a step beside one that undoes',
      [say, undoes('say'), { ...worker, id: 'b', start: 'with-previous' }],
      'step b: it cannot run beside u, which undoes another step',
    ],
    [
      'undoing on a condition',
      [say, undoes('say', { when: 'failed' })],
      'step u: what undoes another step has no condition of its own',
    ],
    [
      'asking about what undoes',
      [say, undoes('say', { onFailure: 'ask' })],
      'step u: nobody is asked about what undoes another step',
    ],
  ])('%s', (_, steps, mistake) => {
    const mistakes = processMistakes(processOf(...steps))
    expect(mistakes).toHaveLength(1)
    expect(mistakes[0]).toMatch(mistake)
  })

  it('is none of it in a whole swap', () => {
    expect(processMistakes(processOf(...swapSteps))).toEqual([])
    expect(processMistakes(processOf(create, undoes('create')))).toEqual([])
  })
})
