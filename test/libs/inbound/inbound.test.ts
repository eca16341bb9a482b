import { describe, expect, it, vi } from 'vitest'
import type { Platform } from '#libs/platform.ts'
import { openMemoryStore } from '#libs/store/memory.ts'
import { systemClock } from '#libs/systemClock.ts'
import { adminToken, outside } from './outside.ts'

const eventually = (check: () => void | Promise<void>) => vi.waitFor(check, { timeout: 5_000, interval: 5 })
const production = { id: 'production' }

describe('a request of another system', () => {
  it('is carried out, and answered with its position and result', async () => {
    const { ask, stored, counted } = await outside()
    const answer = await ask('CreateEnvironment', { ...production, name: 'Production' })
    expect(answer).toMatchObject({ accepted: true, result: { environmentId: 'production', name: 'Production' } })
    expect(answer.position).toBe(1)
    expect(await stored()).toEqual([{ type: 'EnvironmentCreated', actor: 'admin' }])
    expect(await counted('accepted')).toBe(1)
  })

  it('is the same with all of it in the body', async () => {
    const { bus } = await outside()
    const event = { specversion: '1.0', id: '1', source: '/tests', type: 'CreateEnvironment', data: production }
    const headers = { 'content-type': 'application/cloudevents+json', 'Remuda-Token': adminToken }
    const answer = await bus.request('remuda.in.CreateEnvironment', event, { headers })
    expect(answer).toMatchObject({ accepted: true, result: { environmentId: 'production' } })
  })

  it('that comes again is answered and not carried out again', async () => {
    const { ask, stored } = await outside()
    await ask('CreateEnvironment', production)
    const machine = { name: 'web-1', environmentId: 'production' }
    const first = await ask('RegisterMachine', machine, { id: 'm' })
    expect(await ask('RegisterMachine', machine, { id: 'm' })).toEqual(first)
    const other = await ask('RegisterMachine', { ...machine, name: 'web-2' }, { id: 'n' })
    expect(other.result!['machineId']).not.toBe(first.result!['machineId'])
    expect((await stored()).filter(({ type }) => type === 'MachineRegistered')).toHaveLength(2)
  })

  it('names what it is about in its data, and the rest is the body', async () => {
    const { ask } = await outside()
    await ask('CreateEnvironment', production)
    expect(await ask('RenameEnvironment', { environmentId: 'production', name: 'Live' })).toMatchObject({
      result: { name: 'Live' },
    })
    const policy = { health: { heartbeatEveryMs: '5s' } }
    const change = (ifmatch: string) =>
      ask('ChangeEnvironmentPolicy', { environmentId: 'production', policy }, { headers: { 'ce-ifmatch': ifmatch } })
    expect((await change('7')).said).toContain('VERSION_CHANGED')
    expect(await change('1')).toMatchObject({ result: { policy: { health: { heartbeatEveryMs: 5_000 } } } })
  })

  it('is done also when nobody waits for the answer', async () => {
    const { publish, stored, parked } = await outside()
    publish('CreateEnvironment', production)
    await eventually(async () => expect(await stored()).toHaveLength(1))
    expect((await parked()).items).toEqual([])
  })

  it('carries on what its sender is doing', async () => {
    const { ask, store } = await outside()
    await ask('CreateEnvironment', production, { headers: { 'ce-correlationid': 'build-7' } })
    expect((await store.readAll(0, 1))[0]!.meta.correlationId).toBe('build-7')
  })

  it('is refused as it would be over HTTP', async () => {
    const { ask, parked, counted } = await outside()
    const { said } = await ask('EnableMachine', { machineId: 'm-1' })
    expect(said).toMatch(/^MACHINE_UNKNOWN: /)
    // Its sender knows.
    expect((await parked()).items).toEqual([])
    expect(await counted('refused')).toBe(1)
  })
})

describe('a request without a valid credential', () => {
  it.each([
    ['none', null, 'CREDENTIAL_MISSING'],
    ['a wrong one', 'rmd_user_x_wrong', 'CREDENTIAL_INVALID'],
    ['a malformed one', 'two words', 'CREDENTIAL_INVALID'],
  ])('changes nothing and leaves nothing: %s', async (_, token, code) => {
    const { ask, publish, stored, parked, counted } = await outside()
    expect((await ask('CreateEnvironment', production, { token })).said).toContain(code)
    publish('CreateEnvironment', production, { token })
    publish('CreateEnvironment', 'garbage', { token })
    await eventually(async () => expect(await counted('stranger')).toBe(3))
    expect([await stored(), await parked()]).toEqual([[], { items: [], dropped: 0 }])
  })

  it('is not believed the less it says', async () => {
    const { ask } = await outside()
    expect((await ask('NoSuchThing', 1, { token: null })).said).toContain('CREDENTIAL_MISSING')
  })

  it('does only what its scope lets it', async () => {
    const { ask, tokenOf, stored } = await outside()
    const [reader, writer] = [await tokenOf('read'), await tokenOf('write')]
    for (const token of [reader, writer])
      expect((await ask('CreateEnvironment', production, { token })).said).toMatch(/^PERMISSION_DENIED: .*scope admin/)
    await ask('CreateEnvironment', production)
    const machine = { name: 'web-1', environmentId: 'production' }
    expect((await ask('RegisterMachine', machine, { token: reader })).said).toContain('PERMISSION_DENIED')
    expect(await ask('RegisterMachine', machine, { token: writer })).toMatchObject({ accepted: true })
    expect((await stored()).at(-1)).toEqual({ type: 'MachineRegistered', actor: 'token:write-token' })
  })

  it('is told to wait when strangers send too much, and others are not', async () => {
    const { ask } = await outside({ limits: { anonymousBurst: 3, anonymousPerSecond: 1 } })
    const said = []
    for (let n = 0; n < 5; n++) said.push((await ask('CreateEnvironment', production, { token: null })).said!)
    expect(said.map((line) => line.split(':')[0])).toEqual([
      ...Array(3).fill('CREDENTIAL_MISSING'),
      ...Array(2).fill('TOO_MANY_REQUESTS'),
    ])
    expect(await ask('CreateEnvironment', production)).toMatchObject({ accepted: true })
  })
})

describe('a user of NATS', () => {
  it('acts as the API token that is named for it, until that is revoked', async () => {
    const { askAs, tokenOf, authenticator, ask, stored } = await outside()
    await ask('CreateEnvironment', production)
    const machine = { name: 'web-1', environmentId: 'production' }
    expect((await askAs('ci', 'RegisterMachine', machine)).said).toContain('CREDENTIAL_INVALID')
    await tokenOf('write', 'ci-token')
    expect(await askAs('ci', 'RegisterMachine', machine)).toMatchObject({ accepted: true })
    expect((await stored()).at(-1)).toEqual({ type: 'MachineRegistered', actor: 'token:ci-token' })
    expect((await askAs('ci', 'CreateEnvironment', { id: 'x' })).said).toContain('PERMISSION_DENIED')
    // Somebody else's credential makes it nobody else.
    expect((await askAs('ci', 'CreateEnvironment', { id: 'x' }, { token: adminToken })).said).toContain('PERMISSION')

    const meta = (await ask('CreateEnvironment', { id: 'y' })) && { position: 0 }
    authenticator.apply([{ type: 'TokenRevoked', data: { tokenId: 'ci-token' }, meta } as never])
    expect((await askAs('ci', 'RegisterMachine', machine)).said).toContain('CREDENTIAL_INVALID')
  })

  it('is nobody when it is not named', async () => {
    const { askAs } = await outside()
    expect((await askAs('other', 'CreateEnvironment', production)).said).toContain('no-responders')
  })
})

describe('what a known sender has sent in vain', () => {
  it.each([
    [
      'a field that is wrong',
      'RegisterMachine',
      { name: 'web 1', environmentId: 'x' },
      {},
      'data.name: a machine name',
    ],
    [
      'a field too many',
      'CreateEnvironment',
      { id: 'x', nam: 1 },
      {},
      'data.nam: Unknown field: accepted are id, name',
    ],
    ['a field too few', 'CreateEnvironment', {}, {}, 'data.id'],
    ['no object', 'CreateEnvironment', 'x', {}, 'data: '],
    ['a type nobody knows', 'Explode', {}, {}, 'Explode cannot be asked for; CreateEnvironment,'],
    ['a type of our own', 'toString', {}, {}, 'toString cannot be asked for'],
    ['another type than its subject', 'CreateEnvironment', production, { type: 'RevokeToken' }, 'the subject asks for'],
    ['no CloudEvent', 'CreateEnvironment', production, { headers: { 'ce-specversion': '' } }, 'ce-specversion'],
  ])('is answered and kept: %s', async (_, type, data, sent, detail) => {
    const { ask, parked, stored, counted } = await outside()
    const { said } = await ask(type, data, { id: 'one', ...sent })
    expect(said).toContain(detail)
    const { items } = await parked()
    expect(items).toMatchObject([{ type, code: said!.split(':')[0], actor: 'admin' }])
    expect(items[0]!.detail).toContain(detail)
    expect(JSON.parse(items[0]!.payload)).toEqual(data)
    expect(await stored()).toEqual([])
    expect(await counted('unreadable')).toBe(1)
  })

  it('is kept when it was refused with nobody listening, with who sent what', async () => {
    const { publish, parked } = await outside()
    publish('EnableMachine', { machineId: 'm-1' }, { id: 'one' })
    await eventually(async () => expect((await parked()).items).toHaveLength(1))
    expect((await parked()).items).toEqual([
      {
        number: expect.any(Number),
        type: 'EnableMachine',
        code: 'MACHINE_UNKNOWN',
        detail: expect.stringContaining('m-1'),
        actor: 'admin',
        source: '/tests',
        eventId: 'one',
        payload: '{"machineId":"m-1"}',
        payloadBytes: 19,
        parkedAt: expect.stringMatching(/^\d{4}-.*Z$/),
      },
    ])
  })

  it('is refused when it is too large, and only its beginning is kept', async () => {
    const { ask, parked } = await outside({ limits: { bodyMaxBytes: 5_000 } })
    const { said } = await ask('CreateEnvironment', { id: 'x'.repeat(6_000) })
    expect(said).toBe('BODY_TOO_LARGE: The message has 6009 bytes; 5000 at most.')
    const [kept] = (await parked()).items
    expect([kept!.payload.length, kept!.payloadBytes]).toEqual([800, 6_009])
  })

  it('is kept without what looks like a secret', async () => {
    const { ask, parked } = await outside()
    const secret = 'rmd_user_ab12_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'
    const data = {
      a: secret,
      b: `Bearer ${adminToken}`,
      apiToken: 'one',
      password: 'tw"o',
      c: { secretKey: 3 },
      d: 'seen',
    }
    await ask('CreateEnvironment', data, { token: adminToken })
    const [{ payload } = { payload: '' }] = (await parked()).items
    expect(payload).toContain('seen')
    for (const hidden of [secret, adminToken, 'one', 'tw', '3']) expect(payload).not.toContain(`"${hidden}`)
    expect(JSON.stringify(await parked())).not.toContain(adminToken.slice(-20))
  })

  it('fits whatever it holds', async () => {
    const { ask, parked } = await outside()
    const strange = '\u0000\u0001"\\\ud800'.repeat(2_000)
    await ask('CreateEnvironment', { [strange]: strange }, { headers: { 'ce-id': '%00'.repeat(300) } })
    expect((await parked()).items).toHaveLength(1)
  })

  it('makes room for the newest, and says how much', { timeout: 60_000 }, async () => {
    const generous = { requestsBurst: 10_000, requestsPerSecond: 10_000 }
    const { ask, parked } = await outside({ limits: generous })
    for (let n = 0; n < 1_010; n++) await ask('Explode', n)
    const { items, dropped } = await parked()
    expect(items.length).toBeLessThanOrEqual(1_000)
    expect(items.length + dropped).toBe(1_010)
    expect(items[0]!.payload).toBe('1009')
    expect(items.map(({ payload }) => Number(payload))).toEqual(items.map((_, n) => 1_009 - n))
  })

  it('does not hold up the answer when it cannot be kept', async () => {
    const store: Platform['store'] = Object.assign(openMemoryStore({ clock: systemClock }), {
      park: () => Promise.reject(new Error('the disk is full')),
    })
    const { ask } = await outside({ platform: { store } })
    expect((await ask('Explode', {})).said).toContain('ROUTE_UNKNOWN')
  })
})

describe('a sender that sends too much', () => {
  it('is told to wait, is not parked, and is let in again', async () => {
    const { ask, parked, counted } = await outside({ limits: { requestsBurst: 2, requestsPerSecond: 20 } })
    const said = []
    for (let n = 0; n < 4; n++) said.push((await ask('Explode', {})).said!.split(':')[0])
    expect(said.slice(0, 2)).toEqual(['ROUTE_UNKNOWN', 'ROUTE_UNKNOWN'])
    expect(said).toContain('TOO_MANY_REQUESTS')
    expect((await parked()).items.length).toBe(4 - (await counted('limited')))
    await eventually(async () => expect((await ask('CreateEnvironment', production)).accepted).toBe(true))
  })
})

describe('the door for other systems', () => {
  it('has only so many requests in hand', async () => {
    const { ask } = await outside({ limits: { requestsBurst: 1_000 } })
    const asked = Array.from({ length: 300 }, (_, n) => ask('CreateEnvironment', { id: `e-${n}` }))
    const answers = await Promise.all(asked)
    expect(answers.filter(({ accepted }) => accepted)).toHaveLength(256)
    expect(answers.filter(({ said }) => said === 'TOO_MANY_REQUESTS: 256 requests are in hand.')).toHaveLength(44)
  })

  it('closes behind what it has in hand', async () => {
    const { ask, inbound } = await outside()
    const asked = ask('CreateEnvironment', production)
    // Until the bus has handed it over.
    await Promise.resolve()
    await inbound[Symbol.asyncDispose]()
    expect(await asked).toMatchObject({ accepted: true })
    expect((await ask('CreateEnvironment', { id: 'late' })).said).toContain('nobody answers')
  })
})
