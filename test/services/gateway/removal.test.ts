import { describe, expect, it } from 'vitest'
import { connect, connected } from './client.ts'
import { startControl } from './control.ts'

describe('a machine that is removed', () => {
  it('is cut off at once, and for good when a person removed it', async () => {
    await using control = await startControl()
    const client = await connected(control)
    await control.remove(client.machineId, 'person', 'sold')
    await control.clock.advance(10)
    expect(client.refusal).toMatchObject({ code: 'MACHINE_REMOVED', final: true })
    expect(client.refusal?.detail).toContain('sold')
    expect(control.gateway.connected()).toBe(0)

    const again = connect(control, client.key)
    await again.greet()
    expect(again.refusal).toMatchObject({ code: 'MACHINE_REMOVED', final: true })
    expect(control.gateway.connected()).toBe(0)
  })

  it('is registered again when it returns, if policy had removed it, and is told why', async () => {
    await using control = await startControl()
    const client = await connected(control)
    client.session.closed()
    await control.remove(client.machineId, 'policy', 'silent for 10 min')
    await control.clock.advance(10)
    const again = connect(control, client.key)
    await again.greet()
    expect(again.ofType('welcome')[0]?.returnedFrom).toMatchObject({ kind: 'policy', reason: 'silent for 10 min' })
    await control.clock.advance(10)

    again.session.closed()
    const third = connect(control, client.key)
    await third.greet()
    expect(third.ofType('welcome')[0]?.returnedFrom).toBeNull()
  })

  it('may come again soon when the registry cannot be asked', async () => {
    await using control = await startControl()
    const client = await connected(control)
    client.session.closed()
    await control.remove(client.machineId, 'policy', 'silent')
    await control.clock.advance(10)
    control.down.add('registry')
    const again = connect(control, client.key)
    await again.greet()
    expect(again.refusal).toMatchObject({ code: 'SERVICE_UNAVAILABLE', final: false })
  })
})

describe('two sessions with one key', () => {
  it('are both ended when both are alive, with an alert', async () => {
    await using control = await startControl()
    const older = await connected(control)
    const newer = connect(control, older.key)
    newer.send(newer.hello())
    await control.clock.settle()
    older.pong()
    await control.clock.settle()
    expect(older.refusal).toMatchObject({ code: 'MACHINE_KEY_SHARED', final: true })
    expect(newer.refusal).toMatchObject({ code: 'MACHINE_KEY_SHARED', final: true })
    expect(newer.ofType('welcome')).toEqual([])
    expect(control.log.linesOf('error').join()).toContain('ALERT')
    expect(control.gateway.connected()).toBe(0)
  })

  it('become one when the older does not answer', async () => {
    await using control = await startControl()
    const older = await connected(control)
    const newer = connect(control, older.key)
    newer.send(newer.hello())
    await control.clock.advance(2_999)
    expect(newer.ofType('welcome')).toEqual([])
    await control.clock.advance(1)
    expect(newer.ofType('welcome')).toHaveLength(1)
    expect(older.closedFor).toBe('SESSION_REPLACED')
    expect(control.gateway.connected()).toBe(1)
    expect(control.log.linesOf('error')).toEqual([])
  })

  it('become one as well when several newcomers race for the place of a dead one', async () => {
    await using control = await startControl()
    const older = await connected(control)
    const newcomers = [connect(control, older.key), connect(control, older.key)]
    for (const newcomer of newcomers) newcomer.send(newcomer.hello())
    await control.clock.advance(10_000)
    expect(control.gateway.connected()).toBe(1)
    expect(newcomers[1]!.ofType('welcome')).toHaveLength(1)
  })
})
