import { describe, expect, it } from 'vitest'
import { variablesFor, workOrderFor } from '#services/deployment/workOrder.ts'
import { play, succeeded, taskIdOf } from './run/play.ts'
import { machine, TestWorld } from './run/world.ts'

const variable = (value: string, environments: string[] = [], roles: string[] = []) => ({
  ...{ name: 'A', value, environments, roles },
})

describe('the value of a variable', () => {
  it.each([
    ['the only one', [variable('1')], '1'],
    ['the later of equal ones', [variable('1'), variable('2')], '2'],
    ['that of the role over the general one', [variable('role', [], ['web']), variable('all')], 'role'],
    [
      'that of the environment over that of the role',
      [variable('env', ['prod']), variable('role', [], ['web'])],
      'env',
    ],
    [
      'that of both over that of either',
      [variable('both', ['prod'], ['web']), variable('env', ['prod']), variable('role', [], ['web'])],
      'both',
    ],
    ['not that of another environment', [variable('all'), variable('other', ['dev'])], 'all'],
    ['not that of another role', [variable('all'), variable('other', [], ['db'])], 'all'],
    ['not that of the environment for another role', [variable('all'), variable('x', ['prod'], ['db'])], 'all'],
    ['that of any of several scopes', [variable('x', ['dev', 'prod'], ['db', 'web'])], 'x'],
  ])('is %s', (_, variables, value) => expect(variablesFor(variables, 'prod', ['web'])).toEqual({ A: value }))

  it('is none when no scope fits', () => expect(variablesFor([variable('x', ['dev'])], 'prod', ['web'])).toEqual({}))
  it('may be empty', () => expect(variablesFor([variable('x'), variable('')], 'prod', [])).toEqual({ A: '' }))
})

describe('a work order', () => {
  const steps = [
    { id: 'make-it', on: 'worker' },
    { id: 'install', interpreter: 'pwsh', script: 'go', timeLimitMs: 5 },
  ]
  const variables = [
    { ...variable('$(rm -rf /)'), name: 'DANGER' },
    { ...variable('mine'), name: 'REMUDA_VERSION' },
  ]
  const begin = () => {
    const world = new TestWorld(machine('w', { roles: ['worker'] }), machine('m-1', { name: 'one' }), machine('m-2'))
    const one = play(world, steps, { variables })
    one.end('make-it', 'w', succeeded({ url: 'http://x', other: 'a\nb' }))
    return { one, world }
  }
  const orderOf = ({ one, world }: ReturnType<typeof begin>, stepId = 'install', machineId = 'm-1') => {
    const task = one.state.tasks.get(taskIdOf(stepId, machineId))!
    return workOrderFor(one.state, task, world.machine(machineId)!, 3)
  }

  it('says what to run, and as which attempt of what', () => {
    expect(orderOf(begin())).toMatchObject({
      ...{ taskId: taskIdOf('install', 'm-1'), stepId: 'install', attempt: 1, epoch: 3 },
      ...{ interpreter: 'pwsh', script: 'go', timeLimitMs: 5 },
    })
  })
  it('brings variables as they are, and its own where the names are the same', () => {
    expect(orderOf(begin())?.environment).toMatchObject({
      ...{ DANGER: '$(rm -rf /)', REMUDA_VERSION: '1.0', REMUDA_PROJECT: 'shop', REMUDA_ENVIRONMENT: 'production' },
      ...{ REMUDA_MACHINE_ID: 'm-1', REMUDA_MACHINE_NAME: 'one', REMUDA_STEP: 'install', REMUDA_ATTEMPT: '1' },
      ...{ REMUDA_TARGETS: 'one,m-2', REMUDA_REPLACED_MACHINES: '' },
    })
  })
  it('brings what earlier steps said', () => {
    expect(orderOf(begin())?.environment).toMatchObject({
      REMUDA_OUTPUT_MAKE_IT_URL: 'http://x',
      REMUDA_OUTPUT_MAKE_IT_OTHER: 'a\nb',
    })
  })
  it('has a line for each machine that said something', () => {
    const one = play(new TestWorld(machine('m-1'), machine('m-2')), [{ id: 'a' }, { id: 'b' }])
    one.end('a', 'm-2', succeeded({ x: '2' }))
    one.end('a', 'm-1', succeeded({ x: '1' }))
    const order = workOrderFor(one.state, one.state.tasks.get(taskIdOf('b', 'm-1'))!, machine('m-1'), 1)
    expect(order?.environment['REMUDA_OUTPUT_A_X']).toBe('2\n1')
  })
  it('brings whole lines only, when there are more than a process can be given', () => {
    const said = (number: number) => `i-${number}-${'x'.repeat(999)}`
    const count = 110
    const machines = Array.from({ length: count }, (_, number) => machine(`m-${number}`))
    const one = play(new TestWorld(...machines), [{ id: 'a' }, { id: 'b' }])
    for (let number = 0; number < count; number++) one.end('a', `m-${number}`, succeeded({ x: said(number) }))
    one.advance()
    const order = workOrderFor(one.state, one.state.tasks.get(taskIdOf('b', 'm-0'))!, machines[0]!, 1)
    const lines = order!.environment['REMUDA_OUTPUT_A_X']!.split('\n')
    expect(lines).toEqual(Array.from({ length: 99 }, (_, number) => said(number)))
  })
  it('leaves out names of more machines than a process can be given', () => {
    const machines = Array.from({ length: 2_000 }, (_, number) =>
      machine(`m-${number}`, { name: 'n'.repeat(50) + number }),
    )
    const one = play(new TestWorld(...machines), [{ id: 'a', window: 1 }])
    const order = workOrderFor(one.state, one.state.tasks.get(taskIdOf('a', 'm-0'))!, machines[0]!, 1)
    expect(order?.environment['REMUDA_TARGETS']).toBe('')
  })
  it('names the machines that were replaced', () => {
    const world = new TestWorld(machine('m-1', { name: 'old' }), machine('m-2'), machine('w', { roles: ['worker'] }))
    const from = { output: 'make.NEW' }
    const one = play(
      world,
      [
        { id: 'make', on: 'worker' },
        { id: 'find', kind: 'reevaluate-targets', from },
        { id: 'tell', on: 'worker' },
      ],
      { machineIds: ['m-1'] },
    )
    one.end('make', 'w', succeeded({ NEW: 'm-2' }))
    const order = workOrderFor(one.state, one.state.tasks.get(taskIdOf('tell', 'w'))!, world.machine('w')!, 1)
    expect(order?.environment).toMatchObject({ REMUDA_TARGETS: 'm-2', REMUDA_REPLACED_MACHINES: 'old' })
  })
  it('is for a script and nothing else', () => {
    const { one, world } = begin()
    const task = { ...one.state.tasks.get(taskIdOf('install', 'm-1'))!, stepId: 'unheard-of' }
    expect(workOrderFor(one.state, task, world.machine('m-1')!, 1)).toBeNull()
  })
})
