import { describe, expect, it } from 'vitest'
import { systemClock } from '#libs/systemClock.ts'
import type { AsOfSettings } from '#services/query/asOf/settings.ts'
import { api, type Row } from '../api.ts'
import * as f from '../facts.ts'

const ids = (rows: readonly Row[]) => rows.map(({ id }) => id)
const at = (seconds: number) => new Date(seconds * 1_000).toISOString()

/** A fleet that changes once each second, of which the n-th event is at the n-th second of 1970. */
async function fleet(settings: Partial<AsOfSettings> = {}) {
  let seconds = 0
  const clock = { ...systemClock, wallMs: () => seconds * 1_000, steadyMs: () => seconds * 1_000 + 7 }
  const it = await api({ clock }, settings)
  const tell: typeof it.tell = async (stream, ...facts) => {
    for (const fact of facts) {
      seconds += 1
      await it.tell(stream, fact)
    }
    return seconds
  }
  await tell('environment-staging', f.environmentCreated())
  await tell('machine-a', f.registered('a'))
  await tell('machine-b', f.registered('b'))
  await tell('machine-c', f.registered('c'))
  await tell('health-a', f.healthy('a'))
  await tell('machine-a', f.removed('a'))
  await tell('machine-d', f.registered('d', { name: 'a-name' }))
  await tell('machine-a', f.restored('a', 'a-name-2'))
  const later = (by: number) => (seconds += by)
  return { ...it, tell, later }
}

describe('as of a moment of the past', () => {
  it.each([
    ['0', []],
    ['1', []],
    ['position:2', ['a']],
    [at(2), ['a']],
    [at(2.5), ['a']],
    ['4', ['a', 'b', 'c']],
    [at(6), ['b', 'c']],
    ['7', ['b', 'c', 'd']],
    [at(8), ['a', 'b', 'c', 'd']],
  ])('%s, the machines are %j', async (asOf, expected) => {
    const { get } = await fleet()
    const { status, headers, body } = await get(`/v1/machines?asOf=${asOf}`)
    expect([status, ids(body.items)]).toEqual([200, expected])
    expect(headers['remuda-position']).toBe(
      String(Math.floor(asOf.includes('T') ? Date.parse(asOf) / 1_000 : Number(asOf.replace('position:', '')))),
    )
  })
  it('a machine is shown as it was, and not when it was not there', async () => {
    const { get } = await fleet()
    expect(await get('/v1/machines/a?asOf=2')).toMatchObject({ body: { status: 'unknown', registered: true } })
    expect(await get('/v1/machines/a?asOf=5')).toMatchObject({ body: { status: 'healthy', registered: true } })
    expect(await get('/v1/machines/a?asOf=6')).toMatchObject({ body: { registered: false } })
    expect(await get('/v1/machines/d?asOf=6')).toMatchObject({ status: 404, body: { code: 'MACHINE_UNKNOWN' } })
    expect(await get('/v1/machines/a')).toMatchObject({ body: { name: 'a-name-2', registered: true } })
  })
  it('environments are shown with how many machines they had', async () => {
    const { get } = await fleet()
    expect((await get('/v1/environments/staging?asOf=3')).body.machines).toMatchObject({ unknown: 2, healthy: 0 })
    expect((await get('/v1/environments?asOf=5')).body.items[0].machines).toMatchObject({ unknown: 2, healthy: 1 })
    expect((await get('/v1/environments?asOf=0')).body.items).toEqual([])
    expect((await get('/v1/environments/staging?asOf=0')).status).toBe(404)
  })
  it('the removed are those that were so then, also after the policy keeps them no more', async () => {
    const { get, later } = await fleet()
    later(90 * 86_400)
    const { headers, body } = await get('/v1/environments/staging/removed?asOf=6')
    expect(body.items).toMatchObject([{ id: 'a', nameHolder: null, decisionId: 'd1', returnsByItself: true }])
    expect([headers['remuda-position'], headers['remuda-as-of']]).toEqual(['6', at(6)])
    const then = await get('/v1/environments/staging/removed?asOf=7')
    expect(then.body.items).toMatchObject([{ id: 'a', nameHolder: { machineId: 'd', since: at(7) } }])
    expect((await get('/v1/environments/staging/removed')).body.items).toEqual([])
  })
  it('a silence is as long as it was then', async () => {
    const { get, tell, later } = await fleet()
    const position = await tell('health-b', f.unavailable('b'))
    await tell('health-b', f.healthy('b'))
    later(100)
    const { body } = await get(`/v1/machines/b?asOf=${position}`)
    expect(body.silence).toMatchObject({ since: at(9), goneMs: 9_002 })
    expect((await get('/v1/machines/b')).body.silence).toBeNull()
  })

  it('a list goes on page by page with the same moment, whatever happens meanwhile', async () => {
    const { all, get, tell } = await fleet()
    const [byPosition, byTime] = [
      await get('/v1/machines?asOf=4&limit=1'),
      await get(`/v1/machines?asOf=${at(4)}&limit=1`),
    ]
    await tell('machine-0', f.registered('0'))
    expect(ids(await all('/v1/machines?asOf=4', 1))).toEqual(['a', 'b', 'c'])
    for (const first of [byPosition, byTime]) {
      const second = await get(`/v1/machines?limit=1&cursor=${first.body.next}`)
      expect(second.headers).toMatchObject({ 'remuda-position': '4', 'remuda-as-of': at(4) })
      expect(ids(second.body.items)).toEqual(['b'])
    }
    for (const url of [
      `/v1/machines?asOf=5&cursor=${byPosition.body.next}`,
      `/v1/environments?cursor=${byPosition.body.next}`,
      `/v1/machines?asOf=4&cursor=${(await get('/v1/machines?limit=1')).body.next}`,
    ])
      expect(await get(url)).toMatchObject({ status: 400, body: { code: 'REQUEST_INVALID' } })
  })
  it('is none that has not come, or that cannot be read', async () => {
    const { get } = await fleet()
    for (const asOf of ['9', 'position:9', at(9), 'yesterday', '-1'])
      expect(await get(`/v1/machines?asOf=${asOf}`)).toMatchObject({ status: 400, body: { code: 'ASOF_INVALID' } })
    const forged = Buffer.from(JSON.stringify(['machines@999@', 'a'])).toString('base64url')
    expect(await get(`/v1/machines?cursor=${forged}`)).toMatchObject({ status: 400, body: { code: 'ASOF_INVALID' } })
  })
})

describe('looking into the past', () => {
  it('says when too many events lie before the moment', async () => {
    const { get } = await fleet({ eventsMax: 4, stretchEvents: 2 })
    expect((await get('/v1/machines?asOf=4')).status).toBe(200)
    const refused = await get('/v1/machines?asOf=5')
    expect(refused).toMatchObject({ status: 422, body: { code: 'ASOF_TOO_FAR' } })
    expect(refused.body.detail).toContain('4 events')
    expect((await get('/v1/machines?asOf=6')).body.code).toBe('ASOF_TOO_FAR')
    expect((await get('/v1/machines?asOf=3')).status).toBe(200)
  })
  it('says when it would take too much memory', async () => {
    const { get } = await fleet({ bytesMax: 4_096 })
    expect(await get('/v1/machines?asOf=5')).toMatchObject({ status: 422, body: { code: 'ASOF_TOO_FAR' } })
  })
  it('says when it takes too long, and finds it ready when it is asked again', async () => {
    const { get } = await fleet({ waitMs: 0, stretchEvents: 1 })
    const first = await get('/v1/machines?asOf=8')
    expect(first).toMatchObject({ status: 429, body: { code: 'ASOF_BUSY' }, headers: { 'retry-after': '2' } })
    await expect.poll(async () => (await get('/v1/machines?asOf=8')).status).toBe(200)
  })
  it('looks up no more moments at once than it may, and one moment once', async () => {
    const { get } = await fleet({ buildsMax: 1, stretchEvents: 1 })
    const [one, same, other] = await Promise.all([
      get('/v1/machines?asOf=7'),
      get('/v1/machines?asOf=7'),
      get('/v1/machines?asOf=8'),
    ])
    expect([one.status, same.status]).toEqual([200, 200])
    expect(other).toMatchObject({ status: 429, body: { code: 'ASOF_BUSY' } })
    expect((await get('/v1/machines?asOf=8')).status).toBe(200)
  })
  it('keeps no more moments than it may, and answers all the same', async () => {
    const { get } = await fleet({ modelsMax: 2 })
    for (const round of [1, 2])
      for (let position = 1; position <= 8; position++)
        expect((await get(`/v1/machines?asOf=${position}`)).status, `round ${round}`).toBe(200)
  })
})
