import { describe, expect, it } from 'vitest'
import { connected, keyOf } from './client.ts'
import { startControl } from './control.ts'

describe('heartbeats', () => {
  it('are told on in batches: the welcome, heartbeats and pongs count as heard', async () => {
    await using control = await startControl()
    const clients = [await connected(control, 1), await connected(control, 2)]
    await control.clock.advance(200)
    const ids = clients.map(({ machineId }) => machineId)
    expect(control.heard().toSorted()).toEqual(ids.toSorted())

    const before = control.beats.length
    await control.clock.advance(1_000)
    for (const { session } of clients) session.heartbeat()
    await control.clock.advance(99)
    expect(control.beats).toHaveLength(before)
    await control.clock.advance(1)
    expect(control.beats.slice(before)).toEqual([{ gatewayId: 'g1', machineIds: ids, closed: [] }])
  })

  it('are the same to the gateway when they come as any other frame', async () => {
    await using control = await startControl()
    const client = await connected(control)
    await control.clock.advance(1_000)
    const before = control.heard().length
    client.send({ type: 'heartbeat' })
    await control.clock.advance(200)
    expect(control.heard().slice(before)).toEqual([client.machineId])
  })

  it('that come too fast are not told on', async () => {
    await using control = await startControl({ heartbeatMinMs: 1_000 })
    const client = await connected(control)
    await control.clock.advance(2_000)
    const before = control.heard().length
    for (let count = 0; count < 100; count++) {
      client.session.heartbeat()
      await control.clock.advance(10)
    }
    await control.clock.advance(200)
    expect(control.heard().length - before).toBeLessThanOrEqual(2)
  })

  it('name a machine once in a batch', async () => {
    await using control = await startControl({ heartbeatMinMs: 0 })
    const client = await connected(control)
    await control.clock.advance(1_000)
    const before = control.heard().length
    for (let count = 0; count < 5; count++) client.session.heartbeat()
    await control.clock.advance(200)
    expect(control.heard().slice(before)).toEqual([client.machineId])
  })

  it('are told on at once when many machines have been heard', async () => {
    await using control = await startControl({ flushMachinesMax: 2, flushMs: 60_000 })
    await connected(control, 1)
    expect(control.beats).toEqual([])
    await connected(control, 2)
    expect(control.heard().toSorted()).toEqual([keyOf(1).machineId, keyOf(2).machineId].toSorted())
  })

  it('are not all that a gateway says: it speaks up even when it hears nobody', async () => {
    await using control = await startControl({ speakMs: 1_000 })
    await control.clock.advance(5_000)
    expect(control.words()).toBe(6)
  })

  it('come with a hint when a session has ended', async () => {
    await using control = await startControl()
    const client = await connected(control)
    client.send({ type: 'leaving', reason: 'going home' })
    await control.clock.advance(200)
    expect(client.closedFor).toBe('leaving')
    expect(control.beats.flatMap(({ closed }) => closed)).toEqual([client.machineId])
  })
})

describe('asking after a machine', () => {
  const ask = (control: Awaited<ReturnType<typeof startControl>>, machineId: string) =>
    control.ask(
      'gateway',
      { type: 'PingMachine', data: { machineId } },
      {
        actor: 'test',
        commandId: control.clock.id(),
        correlationId: 'c',
        causationId: null,
      },
      'g1',
    )

  it('says whether it answers, and how fast', async () => {
    await using control = await startControl()
    const client = await connected(control)
    const answer = ask(control, client.machineId)
    await control.clock.advance(30)
    client.pong()
    expect(await answer).toMatchObject({ accepted: true, result: { connected: true, answered: true, roundTripMs: 30 } })
  })

  it('says that it does not answer, within a bounded time', async () => {
    await using control = await startControl({ pingMs: 1_000 })
    const client = await connected(control)
    const answer = ask(control, client.machineId)
    await control.clock.advance(1_000)
    expect(await answer).toMatchObject({ result: { connected: true, answered: false, roundTripMs: null } })
  })

  it('says at once that it has no session', async () => {
    await using control = await startControl()
    expect(await ask(control, keyOf(7).machineId)).toMatchObject({ result: { connected: false, answered: false } })
  })
})
