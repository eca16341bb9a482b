import { describe, expect, it } from 'vitest'
import { ParkedRequests } from '#libs/inbound/parked.ts'
import { as } from '#test/support/http.ts'
import { api } from './api.ts'

const unheard = {
  type: 'CreateRelease',
  code: 'REQUEST_INVALID',
  detail: 'data.version: is missing',
  actor: 'token:ci',
  source: '/ci',
  eventId: '7',
  bytes: Buffer.from('{}'),
}

describe('a request that was not carried out', () => {
  const parked = async () => {
    const server = await api()
    const requests = new ParkedRequests(server.platform.store, server.platform.clock)
    await requests.park(unheard)
    await requests.park({ ...unheard, eventId: '8', source: null })
    const ask = (method: 'DELETE' | 'POST', url: string, who: 'reader' | 'writer' = 'writer') =>
      server.app.inject({ method, url, headers: as(who) })
    return { ...server, ask, list: async () => (await server.get('/v1/parked/requests')).body }
  }

  it('is listed, the newest first, and is no event', async () => {
    const { list, get } = await parked()
    const { items, dropped } = await list()
    const { bytes: _, ...told } = unheard
    expect([items, dropped]).toMatchObject([
      [
        { ...told, eventId: '8', source: null },
        { ...told, payload: '{}', payloadBytes: 2 },
      ],
      0,
    ])
    expect(items[0].number).toBeGreaterThan(items[1].number)
    expect((await get('/v1/parked')).body.items).toEqual([])
  })

  it('is taken off the list by who may', async () => {
    const { list, ask } = await parked()
    const { number } = (await list()).items[0]
    expect((await ask('DELETE', `/v1/parked/requests/${number}`, 'reader')).statusCode).toBe(403)
    expect((await ask('DELETE', `/v1/parked/requests/${number}`)).json()).toEqual({ dismissed: true })
    expect((await ask('DELETE', `/v1/parked/requests/${number}`)).json()).toEqual({ dismissed: false })
    expect((await list()).items).toMatchObject([{ eventId: '7' }])
  })

  it('cannot be tried again, since nobody keeps its sender’s credential', async () => {
    const { list, ask } = await parked()
    const { number } = (await list()).items[0]
    expect((await ask('POST', `/v1/parked/inbound/${number}/retry`)).json()).toMatchObject({ code: 'PARKED_UNKNOWN' })
  })
})
