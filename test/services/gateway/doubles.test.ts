import { describe, expect, it } from 'vitest'
import { startGateway } from '#services/gateway/service.ts'
import { connect, connected, keyOf } from './client.ts'
import { startControl, type Control } from './control.ts'

/** A second gateway beside the first, on the same bus and store. */
async function besides(control: Control): Promise<Control> {
  const starting = startGateway(control, { gatewayId: 'g2', speakMs: 3_600_000 })
  await control.clock.advance(100)
  return { ...control, gateway: await starting }
}

describe('a machine that has a session at one gateway and turns up at another', () => {
  const twice = async () => {
    const control = await startControl({ doublePingMs: 3_000 })
    const first = await connected(control)
    const other = await besides(control)
    const second = connect(other, first.key)
    await second.greet()
    return { control, other, first, second }
  }

  it('has come back when its old session does not answer, and keeps the new one', async () => {
    const { control, first, second } = await twice()
    expect(first.ofType('ping')).toHaveLength(1)
    await control.clock.advance(3_000)
    expect(first.refusal).toMatchObject({ code: 'SESSION_REPLACED', final: false })
    expect(second.closedFor).toBeNull()
  })
  it('is two machines with one key when the old session answers, and neither may work', async () => {
    const { control, other, first, second } = await twice()
    first.pong()
    await control.clock.advance(10)
    for (const { refusal } of [first, second])
      expect(refusal).toMatchObject({ code: 'MACHINE_KEY_SHARED', final: true })
    expect([control.gateway.connected(), other.gateway.connected()]).toEqual([0, 0])
    expect(control.log.lines.filter((line) => line.startsWith('ALERT'))).toHaveLength(1)
  })
  it('does not disturb other machines', async () => {
    const control = await startControl()
    const first = await connected(control, 1)
    const other = await besides(control)
    const second = await connected(other, 2)
    await control.clock.advance(10_000)
    expect([first.ofType('ping'), first.closedFor, second.closedFor]).toEqual([[], null, null])
  })
})

describe('a machine whose key two use', () => {
  const found = async () => {
    const control = await startControl()
    const first = await connected(control)
    const second = connect(control, first.key)
    await second.greet()
    first.pong()
    await control.clock.advance(10)
    return { control, first, second, machineId: first.machineId }
  }
  const tryAgain = async (control: Control, key = keyOf(1)) => {
    const client = connect(control, key)
    await client.greet()
    return client
  }
  const told = { code: 'MACHINE_QUARANTINED', final: false, detail: expect.stringContaining('/release') }

  it('is put in quarantine, once, in the name of the machine', async () => {
    const { control, first, second, machineId } = await found()
    for (const { refusal } of [first, second]) expect(refusal).toMatchObject({ code: 'MACHINE_KEY_SHARED' })
    expect(control.commands('QuarantineMachine')).toMatchObject([
      { command: { data: { machineId } }, cause: { actor: `machine:${machineId}`, causationId: null } },
    ])
  })
  it('is put in quarantine once when each of the two is at another gateway', async () => {
    const control = await startControl()
    const first = await connected(control)
    const other = await besides(control)
    const second = await tryAgain(other)
    first.pong()
    await control.clock.advance(10)
    expect(control.commands('QuarantineMachine')).toHaveLength(1)
    expect(second.refusal).toMatchObject({ code: 'MACHINE_KEY_SHARED' })
    for (const gateway of [control, other]) expect((await tryAgain(gateway)).refusal).toMatchObject(told)
  })
  it('is not let in, also after a restart, and is told what to do', async () => {
    const { control } = await found()
    expect((await tryAgain(control)).refusal).toMatchObject(told)
    expect((await tryAgain(await besides(control))).refusal).toMatchObject(told)
  })
  it('tells nobody who has not its key', async () => {
    const { control, machineId } = await found()
    const stranger = connect(control, keyOf(2))
    await stranger.greet({ machineId })
    expect(stranger.refusal).toMatchObject({ code: 'CREDENTIAL_INVALID' })
  })
  it('does not keep out others', async () => {
    const { control } = await found()
    expect((await connected(control, 2)).closedFor).toBeNull()
  })
  it('is let in again after a person has released it', async () => {
    const { control, machineId } = await found()
    await control.release(machineId)
    await control.clock.advance(10)
    expect((await tryAgain(control)).closedFor).toBeNull()
  })
  it('is put in quarantine again when both come again', async () => {
    const { control, machineId } = await found()
    await control.release(machineId)
    await control.clock.advance(10)
    const [one, two] = [await tryAgain(control), await tryAgain(control)]
    one.pong()
    await control.clock.advance(10)
    for (const { refusal } of [one, two]) expect(refusal).toMatchObject({ code: 'MACHINE_KEY_SHARED' })
    expect(control.commands('QuarantineMachine')).toHaveLength(2)
    expect((await tryAgain(control)).refusal).toMatchObject(told)
  })
  it('loses a session that it has elsewhere', async () => {
    const control = await startControl()
    const first = await connected(control)
    await control.append(`machine-${first.machineId}`, {
      type: 'MachineQuarantined',
      data: { machineId: first.machineId, detail: 'found elsewhere' },
    })
    await control.clock.advance(10)
    expect(first.refusal).toMatchObject({ ...told, detail: expect.stringContaining('found elsewhere') })
  })
  it('stays in quarantine when it enrols again', async () => {
    const { control, machineId, first } = await found()
    await control.register(machineId, first.key.publicKey)
    await control.clock.advance(10)
    expect((await tryAgain(control)).refusal).toMatchObject(told)
  })
  it('is shut out also while the registry cannot write it down', async () => {
    const control = await startControl()
    const first = await connected(control)
    control.down.add('registry')
    const second = await tryAgain(control)
    first.pong()
    await control.clock.advance(10_000)
    for (const { refusal } of [first, second]) expect(refusal).toMatchObject({ code: 'MACHINE_KEY_SHARED' })
    expect(control.log.lines.join()).toContain('could not be put in quarantine')
  })
})
