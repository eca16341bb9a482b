import { describe, expect, it } from 'vitest'
import { processMistakes, targetRolesOf } from '#services/deployment/project/mistakes.ts'
import { processOf } from '../run/play.ts'

const make = { id: 'make', on: 'worker' }
const find = { id: 'find', kind: 'reevaluate-targets', from: { output: 'make.NEW' } }
const call = { id: 'call', kind: 'http', url: 'https://a.example', output: 'NEW' }
const retire = { id: 'retire', kind: 'deregister-machines' }

describe('a process that could never run', () => {
  it.each([
    ['two steps with one id', [{ id: 'a' }, { id: 'a' }], ['step a: another step has the same id']],
    ['an output of nobody', [find], ['step find: output make.NEW is set by no script step before it']],
    ['an output of a later step', [find, make], ['step find: output make.NEW is set by no script step before it']],
    [
      'an output of a step that has none',
      [{ id: 'make', kind: 'approval', message: 'x' }, find],
      ['step find: output make.NEW is set by no script step before it'],
    ],
    [
      'less at most than at least',
      [make, { ...find, expect: { min: 3, max: 2 } }],
      ['step find: expects at least 3 and at most 2 machines'],
    ],
    ['nobody to deregister', [make, retire], ['step retire: no step before it replaces targets']],
    [
      'nobody to deregister, since machines only join',
      [make, { ...find, mode: 'add' }, retire],
      ['step retire: no step before it replaces targets'],
    ],
    [
      'an environment that refers to an output of nobody',
      [{ id: 'a', environment: { A: '#{outputs.make.NEW}' } }],
      ['step a: output make.NEW is set by no script step before it'],
    ],
    [
      'an environment that Remuda would write over, or that refers to nothing',
      [{ id: 'a', environment: { remuda_x: '1', B: '#{B C}' } }],
      [
        'step a: environment.remuda_x: names that begin with REMUDA_ are for what Remuda says',
        'step a: environment.B: #{B C} is no reference',
      ],
    ],
    ['no time', [{ id: 'a', timeLimitMs: 0 }], ['step a: a time limit of 0 leaves it no time']],
    [
      'a first step beside none',
      [{ id: 'a', start: 'with-previous' }],
      ['step a: there is no step before it to run side by side with'],
    ],
    [
      'targets that change beside another step',
      [make, { ...find, start: 'with-previous' }],
      ['step find: a step of kind reevaluate-targets runs alone'],
    ],
    [
      'a step beside one that runs alone',
      [make, find, { id: 'a', start: 'with-previous' }],
      ['step a: it cannot run beside find, of kind reevaluate-targets'],
    ],
    [
      'a minimum that lets nobody work',
      [{ id: 'a', minimumHealthy: '100%' }],
      ['step a: minimumHealthy 100% lets no target work'],
    ],
    [
      'a minimum above all that a deployment takes',
      [{ id: 'a', minimumHealthy: 5_000 }],
      ['step a: minimumHealthy 5000 can never be kept: a deployment takes 5000 machines at most'],
    ],
    [
      'a minimum where there are no targets',
      [{ id: 'a', on: 'worker', minimumHealthy: 1 }],
      ['step a: minimumHealthy is for steps on targets'],
    ],
    [
      'an attempt without time',
      [{ id: 'a', attemptTimeLimitMs: 0 }],
      ['step a: an attempt time limit of 0 leaves it no time'],
    ],
    [
      'a try that never comes',
      [{ id: 'a', attemptsMax: 2, retryAfterMs: 5_000, timeLimitMs: 5_000 }],
      ['step a: it never tries again: it waits 5000 ms for that, and all tries have 5000 ms together'],
    ],
    [
      'a canary of all',
      [{ id: 'a', canary: { size: '100%', hold: { forMs: 1 } } }],
      ['step a: a canary of 100% leaves nobody to hold back'],
    ],
    [
      'a canary that nobody can approve, on a worker',
      [{ id: 'a', on: 'worker', canary: { size: 1, hold: { approval: 'x', withinMs: 0 } } }],
      ['step a: a canary is for steps on targets', 'step a: withinMs 0 leaves nobody time to approve'],
    ],
    [
      'two steps side by side that ask to go on',
      [
        { id: 'a', canary: { size: 1, hold: { approval: 'x' } } },
        { id: 'b', start: 'with-previous', canary: { size: 1, hold: { approval: 'y' } } },
      ],
      ['step b: step a beside it asks for an approval as well'],
    ],
    ...[
      ['vars.A ==', 'Unexpected token: EOF at line 1, column 10'],
      ["vars.A == 'x' &&\n  size(outputs.b.C) > 'y'", 'no such overload: int > string at line 2, column 3'],
      ['vars.A', 'it says string and neither true nor false'],
      ['secrets.A == "x"', 'Unknown variable: secrets at line 1, column 1'],
      ["vars.A.matches('(a+)+b')", 'there are no regular expressions in it'],
      ['outputs.b.C.all(x, outputs.b.C.exists(y, x == y))', 'exists inside another loop is not taken'],
    ].map(([when, wrong]): [string, object[], string[]] => [
      `an expression that cannot be asked: ${when}`,
      [{ id: 'a', when }],
      [`step a: when: ${wrong}`],
    ]),
    ['a body that is never sent', [{ ...call, body: 'x' }], ['step call: a call by GET has no body']],
    [
      'an output that a call does not set',
      [call, { ...find, from: { output: 'call.OTHER' } }],
      ['step find: output call.OTHER is set by no script step before it'],
    ],
    [
      'several mistakes',
      [{ id: 'a', timeLimitMs: 0 }, { id: 'a' }],
      ['step a: a time limit of 0 leaves it no time', 'step a: another step has the same id'],
    ],
  ])('has %s', (_, steps, mistakes) => expect(processMistakes(processOf(...steps))).toEqual(mistakes))

  it('deploys itself', () => {
    const process = processOf({ id: 'again', kind: 'deploy-release', project: 'shop' })
    expect(processMistakes(process, 'shop')).toEqual(['step again: a project does not deploy itself'])
    expect(processMistakes(process, 'other')).toEqual([])
  })
  it('names more roles than a release can be for', () => {
    const steps = Array.from({ length: 33 }, (_, number) => ({ id: `s-${number}`, roles: [`r-${number}`] }))
    expect(processMistakes(processOf(...steps))).toEqual(['its steps on targets name 33 roles, at most 32'])
    expect(processMistakes(processOf(...steps.slice(1)))).toEqual([])
  })
  it('is larger than what a deployment can carry', () => {
    const steps = ['a', 'b', 'c'].map((id) => ({ id, script: '\u{e9}'.repeat(70_000) }))
    expect(processMistakes(processOf(...steps)).join()).toMatch(/^it takes 42\d{4} bytes as JSON, at most 393216$/)
    expect(processMistakes(processOf(...steps.slice(1)))).toEqual([])
  })

  it.each([
    ['no package', {}, 'it names no package: give it package, or the url of one'],
    ['two', { package: 'a', url: 'https://a.example/x' }, 'it names a package and an address, and takes one of them'],
    [
      'a digest of one that was uploaded',
      { package: 'a', digest: 'a'.repeat(64) },
      'digest is for a package from an address; one that was uploaded has its own',
    ],
    [
      'a version of an address',
      { url: 'https://a.example/x', version: '1' },
      'version is for a package that was uploaded; an address has what lies there',
    ],
    [
      'one digest for many addresses',
      { url: 'https://a.example/${REMUDA_VERSION}', digest: 'a'.repeat(64) },
      'its address is another one for each release, so one digest cannot be right for all of them',
    ],
    ['an address that is none', { url: 'https://a.example:x/' }, 'url is no address'],
    ...[
      'https://u:secret@a.example/',
      'https://a.example/?X-Amz-Signature=secret',
      'https://a.example/?sig=secret',
    ].map((url) => [
      'a credential in its address',
      { url },
      'the address at a.example has a credential in it, which everybody could read: upload the package',
    ]),
    ['no time', { package: 'a', timeLimitMs: 0 }, 'a time limit of 0 leaves it no time'],
    ['nobody who may work', { package: 'a', minimumHealthy: '100%' }, 'minimumHealthy 100% lets no target work'],
  ] as readonly [string, object, string][])('has a package step with %s', (_, part, mistake) =>
    expect(processMistakes(processOf({ id: 'p', kind: 'package', ...part }))).toEqual([`step p: ${mistake}`]),
  )
  it('reads what a package without a script cannot have said', () => {
    const said = (script?: string) =>
      processMistakes(processOf({ id: 'make', kind: 'package', package: 'a', script }, find))
    expect(said()).toEqual(['step find: output make.NEW is set by no script step before it'])
    expect(said('true')).toEqual([])
  })

  it.each([
    ['nothing', []],
    [
      'a package of each kind',
      [
        { id: 'a', kind: 'package', package: 'a', version: '1.*' },
        { id: 'b', kind: 'package', url: 'https://a.example/x?raw=1' },
      ],
    ],
    ['one step', [{ id: 'a' }]],
    ['a swap', [make, find, { id: 'install' }, retire]],
    ['machines by name to deregister', [make, { ...retire, from: { output: 'make.OLD' } }]],
    ['steps side by side', [make, { id: 'a', start: 'with-previous' }, { id: 'b', start: 'with-previous' }]],
    ['a minimum', [{ id: 'a', minimumHealthy: '99%' }]],
    ['machines that a call names', [call, { ...find, from: { output: 'call.NEW' } }]],
    ['machines by role', [{ ...find, from: { roles: ['web'] } }]],
  ])('is not one with %s', (_, steps) => expect(processMistakes(processOf(...steps))).toEqual([]))
})

describe('the roles that a release is for', () => {
  it.each([
    [
      'those of its steps',
      [
        { id: 'a', roles: ['web'] },
        { id: 'b', roles: ['db', 'web'] },
      ],
      ['db', 'web'],
    ],
    ['all, when one step is for all', [{ id: 'a', roles: ['web'] }, { id: 'b' }], []],
    [
      'not those of workers',
      [
        { id: 'a', roles: ['web'] },
        { id: 'b', on: 'worker' },
      ],
      ['web'],
    ],
    [
      'those of health checks too',
      [
        { id: 'a', roles: ['web'] },
        { id: 'b', kind: 'health-check' },
      ],
      [],
    ],
    ['those of packages too', [{ id: 'a', kind: 'package', package: 'a', roles: ['web'] }], ['web']],
    ['all, when it touches none', [make], []],
  ])('are %s', (_, steps, roles) => expect(targetRolesOf(processOf(...steps))).toEqual(roles))
})
