import { describe, expect, it } from 'vitest'
import { sessionProof } from '#contracts/agent.ts'
import { EnvironmentPolicy } from '#contracts/policySettings.ts'
import { environmentStream } from '#contracts/subjects.ts'
import { connect, connected, keyOf } from './client.ts'
import { environmentId, facts, startControl } from './control.ts'

describe('a session with an agent', () => {
  it('begins with a challenge, and with a welcome for who signs it with the key of a registered machine', async () => {
    await using control = await startControl()
    const { ofType, machineId } = await connected(control)
    expect(ofType('challenge')[0]).toMatchObject({ protocol: 1, epoch: 1 })
    expect(ofType('welcome')).toEqual([
      {
        ...{ type: 'welcome', machineId, returnedFrom: null },
        ...{ heartbeatEveryMs: 10_000, taskLeaseEveryMs: 30_000, checks: [] },
      },
    ])
    expect(control.gateway.connected()).toBe(1)
    expect(control.commands('ReregisterMachine')).toEqual([])
  })

  it('is refused to who signs with another key', async () => {
    await using control = await startControl()
    await control.register(keyOf(1).machineId, keyOf(1).publicKey)
    await control.clock.advance(10)
    const client = connect(control, keyOf(1))
    const { nonce } = client.ofType('challenge')[0]!
    await client.greet({ signature: keyOf(2).sign(sessionProof(nonce, keyOf(1).machineId)) })
    expect(client.refusal).toMatchObject({ code: 'CREDENTIAL_INVALID', final: true })
    expect(client.closedFor).not.toBeNull()
    expect(control.gateway.connected()).toBe(0)
  })

  it('is refused to a recording of an earlier hello', async () => {
    await using control = await startControl()
    const first = await connected(control)
    const recorded = first.hello()
    first.session.closed()
    const replay = connect(control, first.key)
    replay.send(recorded)
    await control.clock.advance(0)
    expect(replay.refusal).toMatchObject({ code: 'CREDENTIAL_INVALID' })
  })

  it('is refused to a machine that nobody has registered, after a moment in which news may arrive', async () => {
    await using control = await startControl()
    const client = connect(control, keyOf(9))
    client.send(client.hello())
    await control.clock.run(() => client.refusal !== undefined, 10_000)
    expect(client.refusal).toMatchObject({ code: 'MACHINE_UNKNOWN', final: true })
  })

  it('welcomes a machine that comes sooner than the news of its registration', async () => {
    await using control = await startControl()
    const key = keyOf(3)
    const client = connect(control, key)
    await control.register(key.machineId, key.publicKey)
    client.send(client.hello())
    await control.clock.run(() => client.ofType('welcome').length > 0, 3_000)
    expect(client.ofType('welcome')).toHaveLength(1)
  })

  it('ends when no hello comes in time', async () => {
    await using control = await startControl()
    const client = connect(control, keyOf(1))
    await control.clock.advance(9_999)
    expect(client.closedFor).toBeNull()
    await control.clock.advance(1)
    expect(client.refusal).toMatchObject({ code: 'HELLO_LATE', final: false })
  })

  it.each([
    ['before the hello', { type: 'heartbeat' }, 'FRAME_UNEXPECTED'],
    ['that nobody knows', { type: 'promote-me' }, 'FRAME_INVALID'],
    ['with a field too many', { type: 'heartbeat', machineId: 'm-other' }, 'FRAME_INVALID'],
    ['that is no object', null, 'FRAME_INVALID'],
  ])('ends with a frame %s', async (_, frame, code) => {
    await using control = await startControl()
    const client = connect(control, keyOf(1))
    client.session.receive(frame)
    expect(client.refusal).toMatchObject({ code })
    expect(client.closedFor).toBe(code)
  })

  it('does not take a second hello, so nobody becomes another machine on the way', async () => {
    await using control = await startControl()
    const client = await connected(control)
    client.send(client.hello())
    expect(client.refusal).toMatchObject({ code: 'FRAME_UNEXPECTED' })
    expect(control.gateway.connected()).toBe(0)
  })

  it('ends with too many frames in a second', async () => {
    await using control = await startControl({ framesPerSecondMax: 10 })
    const client = await connected(control)
    for (let count = 0; count < 9; count++) client.session.heartbeat()
    expect(client.refusal).toBeUndefined()
    client.session.heartbeat()
    expect(client.refusal).toMatchObject({ code: 'TOO_MANY_FRAMES' })
  })

  it('tells the registry only when the machine says something new of itself', async () => {
    await using control = await startControl()
    const first = await connected(control)
    first.session.closed()
    const second = connect(control, first.key)
    await second.greet({ facts: { ...facts, agentVersion: '2.0.0' }, attributes: { zone: 'b' } })
    expect(second.ofType('welcome')).toHaveLength(1)
    expect(control.commands('ReregisterMachine')).toMatchObject([
      {
        command: { data: { machineId: first.machineId, attributes: { zone: 'b' }, facts: { agentVersion: '2.0.0' } } },
        cause: { actor: `machine:${first.machineId}` },
      },
    ])
    second.session.closed()
    await control.clock.advance(10)
    const third = connect(control, first.key)
    await third.greet({ facts: { ...facts, agentVersion: '2.0.0' }, attributes: { zone: 'b' } })
    expect(third.ofType('welcome')).toHaveLength(1)
    expect(control.commands('ReregisterMachine')).toHaveLength(1)
  })

  it('goes on while the registry is down, for a machine that is registered', async () => {
    await using control = await startControl()
    const first = await connected(control)
    first.session.closed()
    control.down.add('registry')
    const second = connect(control, first.key)
    await second.greet({ attributes: { zone: 'b' } })
    expect(second.ofType('welcome')).toHaveLength(1)
  })

  it('fences: a machine that has worked for a later epoch does not work for an older store', async () => {
    await using control = await startControl()
    const first = await connected(control)
    first.session.closed()
    const second = connect(control, first.key)
    await second.greet({ epoch: control.store.epoch + 1 })
    expect(second.refusal).toMatchObject({ code: 'EPOCH_STALE', final: false })
  })

  it('tells the machine a new pace when the policy changes', async () => {
    await using control = await startControl()
    const client = await connected(control)
    const policy = EnvironmentPolicy.parse({ health: { heartbeatEveryMs: 500 }, deployments: { taskLeaseMs: 4_000 } })
    const data = { environmentId, policy, policyVersion: 2 }
    await control.append(environmentStream(environmentId), { type: 'EnvironmentPolicyChanged', data })
    await control.clock.advance(10)
    expect(client.ofType('welcome')[1]).toMatchObject({ heartbeatEveryMs: 500, taskLeaseEveryMs: 1_000 })
  })

  it('ends when the machine falls silent, however open its connection looks', async () => {
    await using control = await startControl()
    const client = await connected(control)
    await control.clock.advance(40_000)
    expect(client.refusal).toBeUndefined()
    await control.clock.advance(20_000)
    expect(client.refusal).toMatchObject({ code: 'SILENT', final: false })
    expect(control.gateway.connected()).toBe(0)
  })

  it('ends with every other when the gateway stops', async () => {
    const control = await startControl()
    const client = await connected(control)
    await control[Symbol.asyncDispose]()
    expect(client.refusal).toMatchObject({ code: 'SERVER_STOPPING', final: false })
    expect(client.closedFor).toBe('SERVER_STOPPING')
  })
})
