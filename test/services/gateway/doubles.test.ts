import { describe, expect, it } from 'vitest'
import { startGateway } from '#services/gateway/service.ts'
import { connect, connected } from './client.ts'
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
