import { describe, expect, it } from 'vitest'
import type { FleetMachine } from '#services/deployment/run/world.ts'
import { failed, play, succeeded } from './play.ts'
import { machine, TestWorld } from './world.ts'

const worker = machine('w', { roles: ['worker'] })
const make = { id: 'make', on: 'worker' }
const byName = { id: 'find', kind: 'reevaluate-targets', from: { output: 'make.NEW' } }
const byRole = { id: 'find', kind: 'reevaluate-targets', from: { roles: ['web'] } }
const install = { id: 'install', roles: ['web'] }

const found = (one: ReturnType<typeof play>) => {
  const { added, removed, kept, catchUp } = one.of('TargetsReevaluated')[0]!.data
  const ids = (list: readonly { machineId: string }[]) => list.map(({ machineId }) => machineId)
  return { added: ids(added), removed: ids(removed), kept, catchUp }
}

describe('machines that a step named', () => {
  const begin = (names: string, part: object = {}, ...machines: readonly FleetMachine[]) => {
    const world = new TestWorld(worker, machine('old-1'), machine('old-2'))
    const one = play(world, [make, { ...byName, ...part }, install])
    for (const newcomer of machines) world.put(newcomer)
    one.end('make', 'w', succeeded({ NEW: names }))
    return one
  }

  it('are waited for, and then take the place of the old ones', () => {
    const one = begin('new-1,new-2')
    expect(one.of('TargetsReevaluated')).toEqual([])
    one.world.put(machine('new-1')).put(machine('new-2', { status: 'unknown' }))
    expect(one.advance(1_000)).toEqual([])
    one.world.change('new-2', { status: 'healthy' })
    one.advance()
    expect(found(one)).toEqual({ added: ['new-1', 'new-2'], removed: ['old-1', 'old-2'], kept: [], catchUp: [] })
    expect(one.of('TargetsReevaluated')[0]!.data.seenPosition).toBe(7)
    expect(one.atWork).toEqual(['install@new-1', 'install@new-2'])
    one.end('install', 'new-1')
    one.end('install', 'new-2')
    expect(one.ending).toMatchObject({
      type: 'DeploymentSucceeded',
      outcomes: { 'old-1': 'replaced', 'old-2': 'replaced', 'new-1': 'succeeded', 'new-2': 'succeeded' },
    })
  })
  it('join the others when the step says so', () => {
    const one = begin('new-1', { mode: 'add' }, machine('new-1'))
    expect(found(one)).toMatchObject({ added: ['new-1'], removed: [], kept: ['old-1', 'old-2'] })
  })
  it('may be named by id, twice, and with what is there already', () => {
    const one = begin('id-9\nnine old-1', {}, machine('id-9', { name: 'nine' }))
    expect(found(one)).toMatchObject({ added: ['id-9'], removed: ['old-2'], kept: ['old-1'] })
  })
  it('leave machines alone that do other work', () => {
    const world = new TestWorld(worker, machine('old-1'), machine('db-1', { roles: ['db'] }), machine('new-1'))
    world.change('new-1', { registered: false })
    const one = play(world, [make, byName, install, { id: 'migrate', roles: ['db'] }])
    world.change('new-1', { registered: true })
    one.end('make', 'w', succeeded({ NEW: 'new-1' }))
    expect(found(one)).toMatchObject({ added: ['new-1'], removed: ['old-1'], kept: ['db-1'] })
  })
  it.each([
    ['is never there', 'new-1', {}, /0 machines, at least 1 expected: new-1 is not registered in production/],
    ['is nobody', ' ', {}, /output make.NEW names no machine/],
    ['is one too many', 'old-1 old-2', { expect: { max: 1 } }, /2 machines were found, at most 1 expected/],
  ])('fail the step when it %s', (_, names, part, reason) => {
    const one = begin(names, part)
    one.advance(300_000)
    expect(one.ending).toMatchObject({ type: 'DeploymentFailed', reason: expect.stringMatching(reason) })
    expect(Object.keys(one.ending!.outcomes)).toEqual(['old-1', 'old-2'])
  })
  it.each([
    ['disabled', { enabled: false }, 'new-1 is disabled'],
    ['without the roles', { roles: ['odd'] }, 'new-1 has none of the roles web'],
    ['in another environment', { environmentId: 'staging' }, 'new-1 is in environment staging'],
    ['without an agent', { hasAgent: false }, 'new-1 has no agent'],
    ['in quarantine', { quarantined: true }, 'new-1 is in quarantine'],
    ['unavailable', { status: 'unavailable' }, 'new-1 is unavailable'],
  ] as const)('fail the step when one stays %s', (_, part, reason) => {
    const one = begin('new-1', {}, machine('new-1', part))
    one.advance(300_000)
    expect(one.ending?.reason).toContain(reason)
  })
  it.each(['constructor', 'toString', '__proto__'])(
    'are named by what the step said, and by nothing else: %s',
    (name) => {
      const one = play(new TestWorld(worker, machine('m-1')), [make, { ...byName, from: { output: `make.${name}` } }])
      one.end('make', 'w', succeeded({ NEW: 'm-1' }))
      expect(one.ending).toMatchObject({ reason: `step find: output make.${name} names no machine` })
    },
  )
  it('are never workers', () => {
    const one = begin('w')
    expect(one.ending).toMatchObject({ reason: 'step find: w is a worker and no target' })
  })
  it.each([
    ['before', ['imposter', 'id-9']],
    ['after', ['id-9', 'imposter']],
  ])('are meant by their ids, whatever a machine that came %s them is called', (_, order) => {
    const machines = { imposter: machine('imposter', { name: 'id-9' }), 'id-9': machine('id-9') }
    const one = begin('id-9', {}, ...order.map((id) => machines[id as keyof typeof machines]))
    expect(found(one).added).toEqual(['id-9'])
  })
  it('may have the name of one that was removed', () => {
    const one = begin(
      'nine',
      {},
      machine('id-1', { name: 'nine', registered: false }),
      machine('id-2', { name: 'nine' }),
    )
    expect(found(one).added).toEqual(['id-2'])
  })
  it('are not late for the time in which nobody listened', () => {
    const one = begin('new-1')
    one.nowMs += 3_600_000
    one.world.listeningSince = one.nowMs
    one.advance(299_999)
    expect(one.types).not.toContain('StepFailed')
    one.advance(1)
    expect(one.ending).toMatchObject({ type: 'DeploymentFailed' })
  })
})

describe('machines of a role', () => {
  const begin = (part: object, ...steps: readonly object[]) => {
    const world = new TestWorld(worker, machine('m-1'), machine('m-2'), machine('db-1', { roles: ['db'] }))
    return play(world, [{ id: 'wait', kind: 'approval', message: 'go?' }, { ...byRole, ...part }, ...steps])
  }

  it('join as they are there', () => {
    const one = begin({ mode: 'add' }, install, { id: 'migrate', roles: ['db'] })
    one.world.put(machine('m-3')).put(machine('m-4', { enabled: false }))
    one.world.put(machine('m-5', { status: 'unavailable' }))
    one.decide('approve')
    expect(found(one)).toEqual({ added: ['m-3'], removed: [], kept: ['m-1', 'm-2', 'db-1'], catchUp: [] })
  })
  it('replace only their like, and one that is away is left out and not replaced', () => {
    const one = begin({}, install, { id: 'migrate', roles: ['db'] })
    one.world.put(machine('m-3')).change('m-2', { status: 'unavailable' })
    one.decide('approve')
    expect(found(one)).toEqual({ added: ['m-3'], removed: [], kept: ['m-1', 'db-1'], catchUp: [] })
    expect(one.of('TargetExcluded')).toMatchObject([{ data: { machineId: 'm-2', cause: 'unhealthy' } }])
  })
  it('are waited for until there are enough', () => {
    const one = begin({ expect: { min: 3, withinMs: 60_000 } }, install)
    one.decide('approve')
    expect(one.advance(59_999)).toEqual([])
    one.advance(1)
    expect(one.ending?.reason).toBe('step find: after 60 s there were 2 machines, at least 3 expected')
  })
  it('may be none when none are expected', () => {
    const one = play(new TestWorld(), [{ ...byRole, expect: { min: 0 } }, install])
    expect(one.ending).toMatchObject({ type: 'DeploymentSucceeded', outcomes: {} })
  })
})

describe('machines that come late', () => {
  const steps = [
    { id: 'base', roles: ['web'], catchUp: true },
    { id: 'plain', roles: ['web'] },
    { id: 'dbs', roles: ['db'], catchUp: true },
    make,
    { ...byRole, mode: 'add' },
    install,
  ]
  const begin = () => {
    const one = play(new TestWorld(worker, machine('m-1')), steps)
    one.end('base', 'm-1')
    one.end('plain', 'm-1')
    one.world.put(machine('m-2')).put(machine('m-3'))
    one.end('make', 'w')
    return one
  }

  it('make up for the steps that are marked for it, and no others', () => {
    const one = begin()
    expect(found(one)).toMatchObject({ added: ['m-2', 'm-3'], catchUp: ['base', 'dbs'] })
    expect(one.atWork).toEqual(['base@m-2', 'base@m-3'])
    one.end('base', 'm-2')
    expect(one.atWork).toEqual(['base@m-3'])
    one.end('base', 'm-3')
    expect(one.atWork).toEqual(['install@m-1', 'install@m-2', 'install@m-3'])
    for (const id of ['m-1', 'm-2', 'm-3']) one.end('install', id)
    expect(one.ending).toMatchObject({
      type: 'DeploymentSucceeded',
      outcomes: { 'm-1': 'succeeded', 'm-2': 'succeeded', 'm-3': 'succeeded' },
    })
  })
  it('make up for a step that had nobody to run on', () => {
    const one = begin()
    one.end('base', 'm-2')
    one.end('base', 'm-3')
    const two = play(new TestWorld(worker), [steps[0]!, make, { ...byRole, mode: 'add' }])
    two.world.put(machine('m-2'))
    two.end('make', 'w')
    expect(two.atWork).toEqual(['base@m-2'])
  })
  it('keep to the window of the step that they make up for, all the way', () => {
    const windowed = [{ ...steps[0]!, window: '50%' }, make, { ...byRole, mode: 'add' }]
    const one = play(new TestWorld(worker, machine('m-1')), windowed)
    one.end('base', 'm-1')
    for (const id of ['m-2', 'm-3', 'm-4', 'm-5']) one.world.put(machine(id))
    one.end('make', 'w')
    for (const id of ['m-2', 'm-3', 'm-4', 'm-5']) {
      expect(one.atWork.length).toBe(Math.min(2, one.state.targets.filter(({ owes }) => owes.length > 0).size))
      one.end('base', id)
    }
    expect(one.ending?.type).toBe('DeploymentSucceeded')
  })
  it('fail the step when they fail to make up, and are no success', () => {
    const one = begin()
    one.end('base', 'm-2', failed())
    one.end('base', 'm-3')
    expect(one.ending).toMatchObject({
      type: 'DeploymentFailed',
      reason: 'step find: catching up on step base: m-2: exit code 1',
      outcomes: { 'm-1': 'failed', 'm-2': 'failed', 'm-3': 'failed' },
    })
  })
  it('and leave again are left out, whatever they still owed', () => {
    const one = begin()
    one.world.change('m-2', { registered: false })
    one.end('base', 'm-3')
    for (const id of ['m-1', 'm-3']) one.end('install', id)
    expect(one.ending).toMatchObject({
      type: 'DeploymentSucceeded',
      outcomes: { 'm-1': 'succeeded', 'm-2': 'excluded', 'm-3': 'succeeded' },
    })
  })
  it('are cancelled with all others', () => {
    const one = begin()
    one.cancel()
    one.end('base', 'm-2', failed('cancelled'))
    one.end('base', 'm-3', succeeded())
    expect(one.ending).toMatchObject({
      type: 'DeploymentCancelled',
      outcomes: { 'm-1': 'cancelled', 'm-2': 'cancelled', 'm-3': 'cancelled' },
    })
  })
})

describe('a target that had been left out', () => {
  const steps = [
    { id: 'base', window: 1, onFailure: 'exclude', catchUp: true },
    make,
    { ...byRole, mode: 'add' },
    install,
  ]

  it('comes back when it may, and makes up for what it missed', () => {
    const one = play(new TestWorld(worker, machine('m-1'), machine('m-2')), steps)
    one.world.change('m-2', { enabled: false })
    one.end('base', 'm-1')
    expect(one.of('TargetExcluded')).toMatchObject([{ data: { machineId: 'm-2', cause: 'disabled' } }])
    one.world.change('m-2', { enabled: true })
    one.end('make', 'w')
    expect(found(one)).toMatchObject({ added: ['m-2'], kept: ['m-1'] })
    expect(one.atWork).toEqual(['base@m-2'])
    one.end('base', 'm-2')
    one.end('install', 'm-1')
    one.end('install', 'm-2')
    expect(one.ending?.outcomes).toEqual({ 'm-1': 'succeeded', 'm-2': 'succeeded' })
  })
  it('needs no step that it missed and that nobody has to make up for', () => {
    const plain = [{ id: 'base', window: 1 }, make, { ...byRole, mode: 'add' }, install]
    const one = play(new TestWorld(worker, machine('m-1'), machine('m-2')), plain)
    one.world.change('m-2', { enabled: false })
    one.end('base', 'm-1')
    one.world.change('m-2', { enabled: true })
    one.end('make', 'w')
    one.end('install', 'm-1')
    one.end('install', 'm-2')
    expect(one.ending?.outcomes).toEqual({ 'm-1': 'succeeded', 'm-2': 'succeeded' })
  })
  it('does not come back when it had failed', () => {
    const one = play(new TestWorld(worker, machine('m-1'), machine('m-2')), steps)
    one.end('base', 'm-1', failed())
    one.end('base', 'm-2')
    one.end('make', 'w')
    expect(found(one)).toMatchObject({ added: [], kept: ['m-2'] })
    one.end('install', 'm-2')
    expect(one.ending?.outcomes).toEqual({ 'm-1': 'failed', 'm-2': 'succeeded' })
  })
})

describe('deregistering machines', () => {
  const swap = [make, byName, install, { id: 'retire', kind: 'deregister-machines', timeLimitMs: 60_000 }]
  const begin = () => {
    const one = play(new TestWorld(worker, machine('old-1'), machine('old-2'), machine('new-1')), swap, {
      machineIds: ['old-1', 'old-2'],
    })
    one.end('make', 'w', succeeded({ NEW: 'new-1' }))
    one.end('install', 'new-1')
    return one
  }

  it('takes out those that were replaced, each asked for once', () => {
    const one = begin()
    expect(one.of('MachineDeregistrationRequested').map(({ data }) => data.machineId)).toEqual(['old-1', 'old-2'])
    expect(one.advance(1_000)).toEqual([])
    one.world.change('old-1', { registered: false }).change('old-2', { registered: false })
    one.advance()
    expect(one.ending).toMatchObject({ outcomes: { 'old-1': 'replaced', 'old-2': 'replaced', 'new-1': 'succeeded' } })
  })
  it('fails when they are still there after its time', () => {
    const one = begin()
    one.world.change('old-1', { registered: false })
    one.advance(60_000)
    expect(one.ending).toMatchObject({ type: 'DeploymentFailed', reason: 'step retire: not removed in time: old-2' })
  })

  const named = (names: string, ...more: readonly FleetMachine[]) => {
    const world = new TestWorld(worker, machine('m-1'), machine('m-2'))
    for (const one of more) world.put(one)
    const retire = { id: 'retire', kind: 'deregister-machines', from: { output: 'make.OLD' } }
    const one = play(world, [make, retire], { machineIds: ['m-1'] })
    one.end('make', 'w', succeeded({ OLD: names }))
    return one
  }
  it('takes out machines that a step named', () => {
    const one = named('m-2')
    expect(one.of('MachineDeregistrationRequested')).toMatchObject([{ data: { machineId: 'm-2' } }])
  })
  it('takes none that is out already, and is done', () =>
    expect(named('old-1', machine('old-1', { registered: false })).ending?.type).toBe('DeploymentSucceeded'))
  it('takes out the machine with that id, and none that is called like it', () => {
    const one = named('m-2', machine('imposter', { name: 'm-2' }))
    expect(one.of('MachineDeregistrationRequested').map(({ data }) => data.machineId)).toEqual(['m-2'])
  })
  it('does not take out a machine that comes meanwhile and is called the same', () => {
    const one = named('two m-2', machine('id-2', { name: 'two' }))
    one.world.change('id-2', { registered: false }).put(machine('id-3', { name: 'two' }))
    expect(one.advance()).toEqual([])
    one.world.change('m-2', { registered: false })
    one.advance()
    expect(one.ending?.type).toBe('DeploymentSucceeded')
    expect(one.of('MachineDeregistrationRequested').map(({ data }) => data.machineId)).toEqual(['id-2', 'm-2'])
  })
  it('leaves a replaced machine alone that was moved to another environment', () => {
    const one = play(new TestWorld(worker, machine('old-1'), machine('new-1')), swap, { machineIds: ['old-1'] })
    one.end('make', 'w', succeeded({ NEW: 'new-1' }))
    one.world.change('old-1', { environmentId: 'staging' })
    one.end('install', 'new-1')
    expect(one.of('MachineDeregistrationRequested')).toEqual([])
    expect(one.ending).toMatchObject({ type: 'DeploymentSucceeded', outcomes: { 'old-1': 'replaced' } })
  })
  it('refuses a target of its own deployment', () =>
    expect(named('m-1, m-2').ending).toMatchObject({ reason: 'step retire: still a target of this deployment: m-1' }))
  it('refuses a name that nobody has', () =>
    expect(named('m-2 typo').ending).toMatchObject({ reason: 'step retire: there is no machine typo in production' }))
  it('never takes a machine of another environment', () => {
    const one = named('far-1', machine('far-1', { environmentId: 'staging' }))
    expect(one.ending).toMatchObject({ type: 'DeploymentFailed' })
    expect(one.of('MachineDeregistrationRequested')).toEqual([])
  })
})

describe('how far the wait for machines has got', () => {
  const begin = (names: string) => {
    const one = play(new TestWorld(worker, machine('old-1')), [make, byName, install])
    one.end('make', 'w', succeeded({ NEW: names }))
    return one
  }
  const held = (one: ReturnType<typeof play>) => one.of('DeploymentHeld').map(({ data }) => data.detail)

  it('is told with what is missing and the deadline, and again only when it has moved', () => {
    const one = begin('new-1 new-2')
    const missing = ['new-1', 'new-2'].map((name) => `${name} is not registered in production`).join('; ')
    expect(one.of('DeploymentHeld')).toMatchObject([
      {
        data: {
          reason: 'machines-expected',
          detail: `step find expects machines within 5 min: 0 of 2 registered, 0 of 2 ready: ${missing}`,
          until: one.nowMs + 300_000,
        },
      },
    ])
    for (let second = 0; second < 60; second++) one.advance(1_000)
    expect(held(one)).toHaveLength(1)
    one.world.put(machine('new-1')).put(machine('new-2', { status: 'unknown' }))
    one.advance(1_000)
    expect(held(one).at(-1)).toContain('2 of 2 registered, 1 of 2 ready: new-2 is unknown')
    one.world.change('new-2', { status: 'healthy' })
    one.advance()
    expect(one.types).toContain('DeploymentResumed')
  })

  it('is not told at every look, however often it moves', () => {
    const one = begin(Array.from({ length: 40 }, (_, at) => `new-${at}`).join(' '))
    for (let at = 0; at < 30; at++) {
      one.world.put(machine(`new-${at}`))
      one.advance(1_000)
    }
    expect(held(one).length).toBeLessThanOrEqual(7)
  })
})

describe('machines in a group of a provider', () => {
  const byGroup = { id: 'find', kind: 'reevaluate-targets', from: { group: 'shop-web' } }
  const member = (machineId: string | null, name = machineId ?? 'i-1', state = 'running') => ({
    machineId,
    name,
    state,
  })
  const begin = (part: object = {}) => play(new TestWorld(machine('old-1')), [{ ...byGroup, ...part }, install])
  const tell = (one: ReturnType<typeof play>, members: readonly object[], more: object = {}) =>
    one.world.groups.set('shop-web', {
      ...{ provider: 'cloud', answeredAt: one.nowMs, silence: null, members: members as never, ...more },
    })

  it('are waited for until all have registered, and it is written down who said so, and when', () => {
    const one = begin()
    tell(one, [member('new-1'), member(null, 'i-0abc'), member('old-9', 'old-9', 'terminated')])
    one.world.put(machine('new-1'))
    one.advance(1_000)
    expect(one.of('DeploymentHeld').at(-1)!.data.detail).toContain('nothing has been heard of group shop-web yet')
    one.advance(5_000)
    expect(one.of('DeploymentHeld').at(-1)!.data.detail).toContain('i-0abc is not registered in production')
    one.world.put(machine('new-2', { name: 'i-0abc' }))
    const at = one.nowMs
    tell(one, [member('new-1'), member('new-2', 'i-0abc')])
    one.advance(1_000)
    expect(found(one)).toMatchObject({ added: ['new-1', 'new-2'], removed: ['old-1'] })
    expect(one.of('TargetsReevaluated')[0]!.data.heard).toEqual({ provider: 'cloud', group: 'shop-web', at })
  })

  it.each([
    ['nothing is heard', null, {}, 'nothing has been heard of group shop-web yet'],
    ['the provider is silent', [], { silence: 'it answers 503' }, 'it answers 503'],
    ['it lists nobody', [], {}, 'provider cloud lists no running machine in group shop-web'],
    ['nobody runs', [member('old-1', 'old-1', 'stopped')], {}, 'lists no running machine'],
    ['the answer is from before the step', [member('old-1')], { answeredAt: 1 }, 'has not been asked about group'],
  ] as const)('fail the step when %s, and are never taken for none', (_, members, more, why) => {
    const one = begin({ expect: { min: 0, withinMs: 60_000 } })
    if (members !== null) tell(one, members, more)
    one.advance(59_999)
    expect(one.ending).toBeNull()
    one.advance(1)
    expect(one.ending).toMatchObject({ type: 'DeploymentFailed', reason: expect.stringContaining(why) })
    expect(one.of('TargetsReevaluated')).toEqual([])
  })
})

describe('a large change of the targets', () => {
  const begin = (approveAbove: number | string, mode = 'replace') => {
    const world = new TestWorld(worker, machine('old-1'), machine('old-2'), machine('old-3'), machine('old-4'))
    const one = play(world, [make, { ...byName, mode, approveAbove, approveWithinMs: 600_000 }, install])
    world.put(machine('new-1')).put(machine('new-2'))
    return one
  }

  it('is shown to a person before it takes effect, and then does', () => {
    const one = begin('25%')
    one.end('make', 'w', succeeded({ NEW: 'old-1 old-2 new-1' }))
    expect(one.of('TargetsReevaluated')).toEqual([])
    expect(one.of('ApprovalRequested')).toMatchObject([
      {
        data: {
          message: 'The targets change: adds 1: new-1; removes 2: old-3, old-4; keeps 2',
          change: { added: [{ machineId: 'new-1' }], removed: [{ name: 'old-3' }, { name: 'old-4' }], kept: 2 },
        },
      },
    ])
    one.decide('approve')
    expect(found(one)).toMatchObject({ added: ['new-1'], removed: ['old-3', 'old-4'] })
  })

  it.each([
    ['3', 3],
    ['75%', '75%'],
  ])('is one above the limit and not one at it: %s', (_, above) => {
    const one = begin(above)
    one.end('make', 'w', succeeded({ NEW: 'old-1 old-2 new-1' }))
    expect(one.of('ApprovalRequested')).toEqual([])
    expect(found(one).added).toEqual(['new-1'])
  })

  it('asks at any change where the limit is 0', () => {
    const one = begin(0, 'add')
    one.end('make', 'w', succeeded({ NEW: 'new-1' }))
    expect(one.of('ApprovalRequested')).toHaveLength(1)
  })

  it.each([
    ['a person says no', 'rejected by a person'],
    ['nobody says anything', 'nobody decided in time'],
  ])('changes nothing when %s', (what, reason) => {
    const one = begin(0)
    one.end('make', 'w', succeeded({ NEW: 'new-1' }))
    if (what === 'a person says no') one.decide('reject')
    else one.advance(600_000)
    expect(one.ending).toMatchObject({ type: 'DeploymentFailed', reason: `step find: ${reason}` })
    expect(one.of('TargetsReevaluated')).toEqual([])
  })

  it('is looked at again after a yes: who is gone by then is waited for, and then an error', () => {
    const one = begin(0)
    one.end('make', 'w', succeeded({ NEW: 'new-1 new-2' }))
    one.advance(590_000)
    one.world.change('new-2', { status: 'unavailable' })
    one.decide('approve')
    expect(one.of('TargetsReevaluated')).toEqual([])
    one.advance(299_000)
    expect(one.ending).toBeNull()
    one.world.change('new-2', { status: 'healthy' })
    one.advance()
    expect(found(one).added).toEqual(['new-1', 'new-2'])
  })

  it('is no more than what was shown: who came meanwhile is left out and named, and who stayed away stays', () => {
    const one = play(new TestWorld(machine('m-1'), machine('m-2')), [
      { id: 'base' },
      { ...byRole, approveAbove: 0 },
      install,
    ])
    one.world.put(machine('m-3'))
    for (const machineId of ['m-1', 'm-2']) one.end('base', machineId)
    one.world.put(machine('m-4')).change('m-2', { status: 'unavailable' })
    one.decide('approve')
    expect(one.of('ApprovalRequested')).toHaveLength(1)
    expect(found(one)).toMatchObject({ added: ['m-3'], removed: [], kept: ['m-1', 'm-2'] })
    expect(one.of('TargetsReevaluated')[0]!.data.leftOut).toEqual([
      { machineId: 'm-4', name: 'm-4', reason: 'no part of the change that a person approved' },
    ])
  })
})
