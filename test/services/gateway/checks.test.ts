import { describe, expect, it } from 'vitest'
import type { AgentFrame } from '#contracts/agent.ts'
import { EnvironmentPolicy } from '#contracts/policySettings.ts'
import type { CheckSignal } from '#contracts/signals.ts'
import { checkSignal, environmentStream, machineStream } from '#contracts/subjects.ts'
import { connect, connected, keyOf } from './client.ts'
import { environmentId, startControl, type Control } from './control.ts'

const disk = { name: 'disk', script: 'df', everyMs: 60_000 }
const dump = { name: 'dump', script: 'ls', cron: '0 4 * * *', roles: ['db', 'backup'] }

const policyIs = async (control: Control, checks: readonly object[], of = environmentId) => {
  const policy = EnvironmentPolicy.parse({ health: { checks } })
  const data = { environmentId: of, policy, policyVersion: 2 }
  await control.append(environmentStream(of), { type: 'EnvironmentPolicyChanged', data })
  await control.clock.advance(10)
}

const happens = async (control: Control, machineId: string, type: string, more: object = {}) => {
  await control.append(machineStream(machineId), { type, data: { machineId, ...more } })
  await control.clock.advance(10)
}

/** A machine with a session and the role `web`, and all that the gateway has told of its checks. */
async function begin(checks: readonly object[], settings: object = {}) {
  const control = await startControl(settings)
  if (checks.length > 0) await policyIs(control, checks)
  const client = await connected(control)
  const told: CheckSignal[] = []
  control.bus.subscribe(checkSignal(0), ({ payload }) => void told.push(payload as CheckSignal))
  const names = () =>
    client
      .ofType('welcome')
      .at(-1)!
      .checks?.map(({ name }) => name)
  return { control, client, told, names, machineId: client.machineId }
}

const result = (check: string, more: object = {}): AgentFrame => ({
  ...{ type: 'check-result', check, level: 'warning', output: '92 %', exitCode: 1, durationMs: 12, timedOut: false },
  ...more,
})

describe('a welcome', () => {
  it('tells a machine which checks to run, without the roles they are for', async () => {
    const { client } = await begin([disk, dump])
    const check = { ...disk, interpreter: 'bash', timeoutMs: 30_000, retries: 0 }
    expect(client.ofType('welcome')[0]!.checks).toEqual([check])
  })

  it('tells of the checks that are for one of its roles', async () => {
    const { control, names, machineId } = await begin([disk, dump])
    const changed = { name: 'web-1', environmentId, roles: ['web', 'backup'] }
    await happens(control, machineId, 'MachineChanged', changed)
    expect(names()).toEqual(['disk', 'dump'])
    await happens(control, machineId, 'MachineChanged', { ...changed, roles: ['web'] })
    expect(names()).toEqual(['disk'])
  })

  it('comes again when the policy changes, and only when that means something to machines', async () => {
    const { control, client, names } = await begin([])
    expect(names()).toEqual([])
    await policyIs(control, [disk])
    expect(names()).toEqual(['disk'])
    await policyIs(control, [disk])
    expect(client.ofType('welcome')).toHaveLength(2)
    await policyIs(control, [{ ...disk, script: 'df /' }])
    expect(client.ofType('welcome').at(-1)!.checks).toMatchObject([{ script: 'df /' }])
    await policyIs(control, [])
    expect(names()).toEqual([])
  })

  it('comes again with the checks and the pace of another environment when the machine is moved there', async () => {
    const { control, client, names, machineId } = await begin([disk])
    await policyIs(control, [{ ...disk, name: 'load' }], 'staging')
    expect(client.ofType('welcome')).toHaveLength(1)
    await happens(control, machineId, 'MachineChanged', { name: 'web-1', environmentId: 'staging', roles: ['web'] })
    expect(names()).toEqual(['load'])
  })

  it('has no checks for a machine that is disabled, and has them again afterwards', async () => {
    const { control, client, names, machineId } = await begin([disk])
    await happens(control, machineId, 'MachineDisabled', { reason: 'repair' })
    expect(names()).toEqual([])
    const again = connect(control, client.key)
    client.session.closed()
    await again.greet()
    expect(again.ofType('welcome')[0]!.checks).toEqual([])
    await happens(control, machineId, 'MachineEnabled', {})
    expect(again.ofType('welcome').at(-1)!.checks).toHaveLength(1)
  })

  it('remembers that a machine is disabled when it registers again', async () => {
    const { control, client, machineId } = await begin([disk])
    await happens(control, machineId, 'MachineDisabled', { reason: 'repair' })
    await control.register(machineId, client.key.publicKey, { roles: ['db'] })
    await control.clock.advance(10)
    expect(client.ofType('welcome').at(-1)!.checks).toEqual([])
  })
})

describe('the result of a check', () => {
  it('is told to those who keep the health of the machine, whatever the machine says it is', async () => {
    const { control, client, told, machineId } = await begin([disk])
    client.send(result('disk'))
    await control.clock.advance(10)
    const found = { check: 'disk', level: 'warning', output: '92 %', exitCode: 1, durationMs: 12, timedOut: false }
    expect(told).toEqual([{ gatewayId: 'g1', machineId, ...found }])
    client.session.receive({ ...result('disk'), machineId: 'm-other' })
    expect(client.refusal).toMatchObject({ code: 'FRAME_INVALID' })
  })

  it('is a sign of life', async () => {
    const { control, client, machineId } = await begin([disk])
    await control.clock.advance(5_000)
    control.beats.length = 0
    client.send(result('disk'))
    await control.clock.advance(1_000)
    expect(control.heard()).toEqual([machineId])
  })

  it.each(['unknown', 'dump'])('of a check that the machine is not to run, as %s, goes nowhere', async (check) => {
    const { control, client, told } = await begin([disk, dump])
    client.send(result(check))
    await control.clock.advance(10)
    expect(told).toEqual([])
    expect(client.refusal).toBeUndefined()
  })

  it('that was under way while the machine was disabled goes nowhere', async () => {
    const { control, client, told, machineId } = await begin([disk])
    await happens(control, machineId, 'MachineDisabled', { reason: 'repair' })
    client.send(result('disk'))
    await control.clock.advance(10)
    expect(told).toEqual([])
    expect(client.refusal).toBeUndefined()
  })

  it('is not taken before the welcome', async () => {
    await using control = await startControl()
    const client = connect(control, keyOf(1))
    client.send(result('disk'))
    expect(client.refusal).toMatchObject({ code: 'FRAME_UNEXPECTED' })
  })

  it.each([
    ['says too much', { output: 'x'.repeat(4_097) }],
    ['has a level that nobody knows', { level: 'fine' }],
    ['has a name that no check has', { check: '../disk' }],
  ])('that %s ends the session', async (_, wrong) => {
    const { client } = await begin([disk])
    client.send(result('disk', wrong))
    expect(client.refusal).toMatchObject({ code: 'FRAME_INVALID' })
  })

  it('ends the session when there are too many in a second, and nothing more is told', async () => {
    const { control, client, told } = await begin([disk], { checkResultsPerSecondMax: 3 })
    for (let count = 0; count < 3; count++) client.send(result('disk'))
    expect(client.refusal).toBeUndefined()
    client.send(result('disk'))
    expect(client.refusal).toMatchObject({ code: 'TOO_MANY_FRAMES' })
    await control.clock.advance(10)
    expect(told).toHaveLength(3)
  })
})
