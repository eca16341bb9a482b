import { describe, expect, it } from 'vitest'
import type { WorkOrder } from '#contracts/agent.ts'
import { secretsFor, workOrderFor } from '#services/deployment/workOrder.ts'
import { play, succeeded, taskIdOf } from './run/play.ts'
import { machine, TestWorld } from './run/world.ts'

const variable = (value: string, environments: string[] = [], roles: string[] = []) => ({
  ...{ name: 'A', value, environments, roles },
})

/** The work order, where there must be one. */
function orderFor(...asked: Parameters<typeof workOrderFor>): WorkOrder {
  const order = workOrderFor(...asked)
  if (order === null || 'problem' in order) throw new Error(order?.problem ?? 'nothing to run')
  return order
}

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
    return orderFor(one.state, task, world.machine(machineId)!, 3)
  }

  it('says what to run, and as which attempt of what', () => {
    expect(orderOf(begin())).toMatchObject({
      ...{ taskId: taskIdOf('install', 'm-1'), stepId: 'install', attempt: 1, epoch: 3 },
      ...{ interpreter: 'pwsh', script: 'go', timeLimitMs: 5 },
    })
  })
  it('brings variables as they are, and its own where the names are the same', () => {
    expect(orderOf(begin()).environment).toMatchObject({
      ...{ DANGER: '$(rm -rf /)', REMUDA_VERSION: '1.0', REMUDA_PROJECT: 'shop', REMUDA_ENVIRONMENT: 'production' },
      ...{ REMUDA_MACHINE_ID: 'm-1', REMUDA_MACHINE_NAME: 'one', REMUDA_STEP: 'install', REMUDA_ATTEMPT: '1' },
      ...{ REMUDA_TARGETS: 'one,m-2', REMUDA_REPLACED_MACHINES: '' },
    })
  })
  describe('with variables of the step alone', () => {
    const environment = { A: '#{A}!', B: '#{outputs.make-it.url}', REGION: 'of the step', C: '#{SECRET}', D: '##{A}' }
    const given = (more: object = {}) => {
      const world = new TestWorld(machine('w', { roles: ['worker'] }), machine('m-1', { name: 'one' }))
      const secret = { secretId: 'a'.repeat(32), version: 1 }
      const all = [
        ...[variable('#{not a reference'), { ...variable('of the project'), name: 'REGION', as: 'file' as const }],
        { ...variable(''), name: 'SECRET', secret },
      ]
      all[0] = { ...all[0]!, value: '##{not a reference' }
      const install = { id: 'install', environment: { ...environment, ...more } }
      const one = play(world, [{ id: 'make-it', on: 'worker' }, install], { variables: all })
      one.end('make-it', 'w', succeeded({ url: 'http://x/#{A}' }))
      const task = one.state.tasks.get(taskIdOf('install', 'm-1'))!
      return workOrderFor(one.state, task, world.machine('m-1')!, 3, new Map([['SECRET', 'p#{A}w']]))
    }
    it('brings them, over those of the project, with all that they refer to', () => {
      expect(given()).toMatchObject({
        environment: { A: '#{not a reference!', B: 'http://x/#{A}', REGION: 'of the step', C: 'p#{A}w', D: '#{A}' },
        sensitive: ['SECRET', 'C'],
      })
      expect(given()).not.toHaveProperty('files')
    })
    it('has a problem where one can have no value', () => {
      expect(given({ E: '#{NOBODY}' })).toEqual({
        problem: 'variable E of the step refers to #{NOBODY}, which has no value for this task',
      })
    })
  })
  it('brings what earlier steps said', () => {
    expect(orderOf(begin()).environment).toMatchObject({
      REMUDA_OUTPUT_MAKE_IT_URL: 'http://x',
      REMUDA_OUTPUT_MAKE_IT_OTHER: 'a\nb',
    })
  })
  it('has a line for each machine that said something', () => {
    const one = play(new TestWorld(machine('m-1'), machine('m-2')), [{ id: 'a' }, { id: 'b' }])
    one.end('a', 'm-2', succeeded({ x: '2' }))
    one.end('a', 'm-1', succeeded({ x: '1' }))
    const order = orderFor(one.state, one.state.tasks.get(taskIdOf('b', 'm-1'))!, machine('m-1'), 1)
    expect(order.environment['REMUDA_OUTPUT_A_X']).toBe('2\n1')
  })
  it('brings whole lines only, when there are more than a process can be given', () => {
    const said = (number: number) => `i-${number}-${'x'.repeat(999)}`
    const count = 110
    const machines = Array.from({ length: count }, (_, number) => machine(`m-${number}`))
    const one = play(new TestWorld(...machines), [{ id: 'a' }, { id: 'b' }])
    for (let number = 0; number < count; number++) one.end('a', `m-${number}`, succeeded({ x: said(number) }))
    one.advance()
    const order = orderFor(one.state, one.state.tasks.get(taskIdOf('b', 'm-0'))!, machines[0]!, 1)
    const lines = order.environment['REMUDA_OUTPUT_A_X']!.split('\n')
    expect(lines).toEqual(Array.from({ length: 99 }, (_, number) => said(number)))
  })
  it('leaves out names of more machines than a process can be given', () => {
    const machines = Array.from({ length: 2_000 }, (_, number) =>
      machine(`m-${number}`, { name: 'n'.repeat(50) + number }),
    )
    const one = play(new TestWorld(...machines), [{ id: 'a', window: 1 }])
    const order = orderFor(one.state, one.state.tasks.get(taskIdOf('a', 'm-0'))!, machines[0]!, 1)
    expect(order.environment['REMUDA_TARGETS']).toBe('')
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
    const order = orderFor(one.state, one.state.tasks.get(taskIdOf('tell', 'w'))!, world.machine('w')!, 1)
    expect(order.environment).toMatchObject({ REMUDA_TARGETS: 'm-2', REMUDA_REPLACED_MACHINES: 'old' })
  })
  it('is for a script and nothing else', () => {
    const { one, world } = begin()
    const task = { ...one.state.tasks.get(taskIdOf('install', 'm-1'))!, stepId: 'unheard-of' }
    expect(workOrderFor(one.state, task, world.machine('m-1')!, 1)).toBeNull()
  })

  describe('with references', () => {
    const more = (...list: { name: string; value: string; environments?: string[] }[]) =>
      list.map((one) => ({ environments: [], roles: [], ...one }))
    const two = (list: ReturnType<typeof more>) => {
      const one = play(new TestWorld(machine('m-1'), machine('m-2')), [{ id: 'a' }, { id: 'b' }], { variables: list })
      one.end('a', 'm-2', succeeded({ x: '2' }))
      one.end('a', 'm-1', succeeded({ x: '1' }))
      return one
    }
    const orderAt = ({ state }: ReturnType<typeof two>, stepId: string, machineId = 'm-1') => {
      const task = state.tasks.get(taskIdOf(stepId, machineId))
      return task === undefined ? null : workOrderFor(state, task, machine(machineId), 1)
    }

    it('has the values of others, and of what it is told by Remuda, in their place', () => {
      const list = more({ name: 'HOST', value: '#{NAME}.test' }, { name: 'NAME', value: '#{REMUDA_MACHINE_ID}' })
      expect(orderAt(two(list), 'b')).toMatchObject({ environment: { HOST: 'm-1.test', NAME: 'm-1' } })
    })
    it("has a machine's own output, or else a line for each that said it", () => {
      const one = two(more({ name: 'X', value: '<#{outputs.a.x}>' }))
      expect(orderAt(one, 'b', 'm-2')).toMatchObject({ environment: { X: '<2>' } })
      const alone = play(
        new TestWorld(machine('m-1'), machine('w', { roles: ['worker'] })),
        [{ id: 'a' }, { id: 'c', on: 'worker' }],
        { variables: more({ name: 'X', value: '#{outputs.a.x}' }) },
      )
      alone.end('a', 'm-1', succeeded({ x: '1' }))
      const order = workOrderFor(alone.state, alone.state.tasks.get(taskIdOf('c', 'w'))!, machine('w'), 1)
      expect(order).toMatchObject({ environment: { X: '1' } })
    })
    it('leaves out what needs a step that has not run yet', () => {
      const one = play(new TestWorld(machine('m-1')), [{ id: 'a' }, { id: 'b' }], {
        variables: more({ name: 'X', value: '#{outputs.a.x}' }, { name: 'Y', value: 'y' }),
      })
      const order = orderAt(one, 'a')
      expect(order).toMatchObject({ environment: { Y: 'y' } })
      expect((order as WorkOrder).environment).not.toHaveProperty('X')
    })
    it.each([
      ['an output that its step did not set', '#{outputs.a.nothing}', /X refers to #\{outputs\.a\.nothing\}/],
      ['a variable that does not hold here', '#{Y}', /X refers to #\{Y\}/],
    ])('is a problem with %s', (_, value, problem) => {
      const list = more({ name: 'X', value }, { name: 'Y', value: 'y', environments: ['elsewhere'] })
      expect(orderAt(two(list), 'b')).toEqual({ problem: expect.stringMatching(problem) as string })
    })
  })

  describe('with sensitive variables', () => {
    const secret = { secretId: '0'.repeat(32), version: 2 }
    const list = [
      { ...variable(''), name: 'PASSWORD', secret },
      { ...variable('db://app:#{PASSWORD}@db', [], []), name: 'URL', as: 'file' as const },
      { ...variable('plain'), name: 'PLAIN' },
    ]
    const one = play(new TestWorld(machine('m-1')), [{ id: 'a' }], { variables: list })
    const task = one.state.tasks.get(taskIdOf('a', 'm-1'))!

    it('asks for the values of those that hold', () =>
      expect(secretsFor(one.state, task, machine('m-1'))).toMatchObject([{ name: 'PASSWORD', secret }]))
    it('says which values must not be told, and which are files', () => {
      const values = new Map([['PASSWORD', 's#{cr}t##{']])
      expect(orderFor(one.state, task, machine('m-1'), 1, values)).toMatchObject({
        environment: { PASSWORD: 's#{cr}t##{', URL: 'db://app:s#{cr}t##{@db', PLAIN: 'plain' },
        sensitive: ['PASSWORD', 'URL'],
        files: ['URL'],
      })
    })
    it('has no more of them than can be hidden', () => {
      const values = new Map([['PASSWORD', 'x'.repeat(40_000)]])
      expect(workOrderFor(one.state, task, machine('m-1'), 1, values)).toEqual({
        problem: expect.stringContaining('at most 65536') as string,
      })
    })
  })
})
