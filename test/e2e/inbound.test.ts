import { connect, headers, type Msg, type NatsConnection } from '@nats-io/transport-node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ParkedRequestRow } from '#contracts/parked.ts'
import type { EventRow } from '#contracts/eventRow.ts'
import { createDice } from '#test/support/dice.ts'
import { Remuda, until } from '#test/support/remuda.ts'
import { findNats, NatsServer } from '#test/support/servers.ts'

const nats = await findNats()
const limitMs = 30_000
const bodyMaxBytes = 256 * 1_024
const fuzzed = 1_000

// Who may publish where is said here and nowhere else; Remuda is told which of these users it may believe.
const users = `authorization { users = [
  { user: remuda, password: remuda }
  { user: ci, password: ci, permissions: { publish: "remuda.in.as.ci.*", subscribe: "_INBOX.>" } }
  { user: other, password: other, permissions: { publish: ["remuda.in.*", "remuda.in.as.other.*"], subscribe: "_INBOX.>" } }
] }`

interface Token {
  readonly tokenId: string
  readonly token: string
}

describe.skipIf(nats === null)('another system on NATS', () => {
  let server: NatsServer
  let remuda: Remuda
  let flags: readonly string[]
  let tokens: { readonly admin: Token; readonly writer: Token; readonly reader: Token }
  const connections: NatsConnection[] = []
  const port = () => new URL(server.url).port

  const login = async (user: string): Promise<NatsConnection> => {
    const connection = await connect({ servers: `127.0.0.1:${port()}`, user, pass: user })
    connections.push(connection)
    return connection
  }
  let other: NatsConnection

  beforeAll(async () => {
    server = await NatsServer.start(nats!, users)
    const rates = ['requests', 'anonymous'].flatMap((who) => [
      `--${who}-per-second`,
      '10000',
      `--${who}-burst`,
      '10000',
    ])
    flags = ['--bus-url', `nats://remuda:remuda@127.0.0.1:${port()}`, '--nats-allow-old', ...rates]
    remuda = await Remuda.start(flags)
    const make = (scope: string) => remuda.ask<Token>('POST', 'tokens', { name: scope, scope })
    tokens = { admin: await make('admin'), writer: await make('write'), reader: await make('read') }
    other = await login('other')
  })
  afterAll(async () => {
    await Promise.all(connections.map((connection) => connection.close()))
    await remuda?.[Symbol.asyncDispose]()
    await server?.[Symbol.asyncDispose]()
  })

  interface Asked {
    readonly id?: string
    readonly token?: string | null
    readonly subject?: string
    readonly from?: NatsConnection
  }
  const headersOf = (all: Readonly<Record<string, string>>) => {
    const made = headers()
    for (const [name, value] of Object.entries(all)) made.set(name, value)
    return made
  }
  const credential = (token: string | null | undefined) =>
    token === null ? {} : { Authorization: `Bearer ${token ?? tokens.admin.token}` }
  /** As a CloudEvent in binary mode. */
  const ask = (type: string, body: unknown, { id = crypto.randomUUID(), token, from = other, subject }: Asked = {}) => {
    const event = { 'ce-specversion': '1.0', 'ce-id': id, 'ce-source': '/outside', 'ce-type': type }
    const payload = body instanceof Uint8Array ? body : JSON.stringify(body)
    const options = { timeout: limitMs, headers: headersOf({ ...event, ...credential(token) }) }
    return from.request(subject ?? `remuda.in.${type}`, payload, options)
  }
  const events = async (query = '') =>
    (await remuda.ask<{ items: EventRow[] }>('GET', `events?limit=1000${query}`)).items
  const eventsOf = (type: string) => events(`&type=${type}`)
  // The log itself and no read model, which may be a moment behind.
  const position = async () => (await events()).at(-1)?.position
  const parked = async () => (await remuda.ask<{ items: ParkedRequestRow[] }>('GET', 'parked/requests')).items
  const codeOf = (reply: Msg) => ({
    ...reply.json<{ code: string; status: number; detail: string }>(),
    marked: reply.headers?.get('Nats-Service-Error-Code'),
    type: reply.headers?.get('content-type'),
  })

  it('makes a request in binary mode, and has it done once however often it asks', async () => {
    const first = await ask('CreateEnvironment', { id: 'production' }, { id: 'make-production' })
    const answer = first.json<{ accepted: true; position: number }>()
    expect(answer).toMatchObject({ accepted: true, result: { environmentId: 'production', policyVersion: 1 } })
    expect(first.headers?.get('content-type')).toBe('application/json')
    const again = await Promise.all(
      Array.from({ length: 5 }, () => ask('CreateEnvironment', { id: 'production' }, { id: 'make-production' })),
    )
    for (const reply of again) expect(reply.json()).toEqual(answer)
    expect(await eventsOf('EnvironmentCreated')).toMatchObject([
      { subject: 'production', position: answer.position, actor: `token:${tokens.admin.tokenId}` },
    ])
    const other = await ask('CreateEnvironment', { id: 'production' })
    expect(codeOf(other)).toMatchObject({ code: 'ENVIRONMENT_EXISTS', status: 409, marked: '409' })
  })

  it('makes a request in structured mode', async () => {
    const event = { specversion: '1.0', id: '1', source: '/outside', type: 'CreateProject', data: { id: 'shop' } }
    const type = { 'content-type': 'application/cloudevents+json' }
    const options = { timeout: limitMs, headers: headersOf({ ...type, 'Remuda-Token': tokens.writer.token }) }
    const reply = await other.request('remuda.in.CreateProject', JSON.stringify(event), options)
    expect(reply.json()).toMatchObject({ accepted: true, result: { id: 'shop' } })
  })

  it('goes the whole way to a deployment', async () => {
    const steps = [{ id: 'install', kind: 'script', script: 'true' }]
    const token = tokens.writer.token
    await ask('ChangeProcess', { projectId: 'shop', process: { steps } }, { token })
    await ask('CreateRelease', { projectId: 'shop', version: '1.0.0' }, { token })
    const wanted = { projectId: 'shop', version: '1.0.0', environmentId: 'production' }
    const deploy = () => ask('CreateDeployment', wanted, { token, id: 'deploy-1' })
    const answer = (await deploy()).json<{ position: number; result: { id: string } }>()
    expect((await deploy()).json()).toMatchObject({ result: answer.result })
    const { position, result } = answer
    expect(await remuda.ask('GET', `deployments/${result.id}?minPosition=${position}`)).toMatchObject(wanted)
    expect(await eventsOf('DeploymentCreated')).toHaveLength(1)
  })

  it('need not wait for an answer', async () => {
    const event = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/outside', 'ce-type': 'RegisterMachine' }
    const data = JSON.stringify({ name: 'web-1', environmentId: 'production' })
    other.publish('remuda.in.RegisterMachine', data, { headers: headersOf({ ...event, ...credential(undefined) }) })
    await until('the machine is registered', limitMs, async () => (await eventsOf('MachineRegistered')).length === 1)
  })

  it('is told what is wrong, where, and how to put it right', async () => {
    const reply = codeOf(await ask('CreateRelease', { projectId: 'shop', version: 'one two', note: 1 }))
    expect(reply).toEqual({
      type: 'application/problem+json',
      title: 'The request does not have the shape that this route takes.',
      status: 400,
      detail: 'data.version: a version looks like 1.4.0, 2026.11.23 or 1.0.0-rc.1',
      code: 'REQUEST_INVALID',
      instance: 'remuda.in.CreateRelease',
      requestId: expect.any(String),
      errors: [
        { path: 'data.version', message: 'a version looks like 1.4.0, 2026.11.23 or 1.0.0-rc.1' },
        { path: 'data.note', message: 'Unknown field: accepted are version, notes, projectId' },
      ],
      marked: '400',
    })
  })

  it('needs a credential that may do it', async () => {
    const before = await position()
    const wanted = { id: 'staging' }
    const code = async (token: string | null) => codeOf(await ask('CreateEnvironment', wanted, { token })).code
    expect(await code(null)).toBe('CREDENTIAL_MISSING')
    expect(await code(`${tokens.admin.token.slice(0, -1)}_`)).toBe('CREDENTIAL_INVALID')
    expect(await code(tokens.writer.token)).toBe('PERMISSION_DENIED')
    expect(await code(tokens.reader.token)).toBe('PERMISSION_DENIED')
    expect(await position()).toBe(before)
  })

  it('does no harm with garbage, nor with much of it; what came from a known sender is seen, also after a restart', async () => {
    const before = await position()
    const type = 'RegisterMachine'
    const garbage = new Uint8Array([0xff, 0xfe, 0x00, 0x7b])
    expect(codeOf(await ask(type, garbage, { id: 'garbage' }))).toMatchObject({ code: 'REQUEST_INVALID', status: 400 })
    const huge = Buffer.alloc(bodyMaxBytes + 1, '{')
    expect(codeOf(await ask(type, huge, { id: 'huge' }))).toMatchObject({ code: 'BODY_TOO_LARGE', status: 413 })
    other.publish('remuda.in.RegisterMachine', garbage, { headers: headersOf(credential(tokens.writer.token)) })
    other.publish('remuda.in.RegisterMachine', garbage)
    const items = await until('all that is known is parked', limitMs, async () => {
      const now = await parked()
      return now.filter((one) => one.type === type).length === 3 && now
    })
    const ids = [tokens.writer, tokens.admin, tokens.admin].map(({ tokenId }) => `token:${tokenId}`)
    expect(items.slice(0, 3).map(({ actor }) => actor)).toEqual(ids)
    expect(JSON.stringify(items)).not.toContain(tokens.admin.token)
    expect(await position()).toBe(before)

    await remuda.server!.end('SIGKILL')
    await remuda.startServer([...flags, '--inbound-users', `ci=${tokens.writer.tokenId}`])
    expect(await parked()).toEqual(items)
    const { number } = items[0]!
    await remuda.ask('DELETE', `parked/requests/${number}`)
    expect((await parked()).map((one) => one.number)).not.toContain(number)
  })

  it('acts as the user that NATS knows, and as no other', async () => {
    const ci = await login('ci')
    const machine = (name: string) => ({ name, environmentId: 'production' })
    const asCi = (from: NatsConnection, name: string) =>
      ask('RegisterMachine', machine(name), { token: null, from, subject: 'remuda.in.as.ci.RegisterMachine' })
    expect((await asCi(ci, 'ci-1')).json()).toMatchObject({ accepted: true })
    expect((await eventsOf('MachineRegistered')).at(-1)).toMatchObject({ actor: `token:${tokens.writer.tokenId}` })

    // The server of NATS lets nobody else publish there, and this user nowhere else.
    await expect(asCi(other, 'ci-2')).rejects.toThrow(/permission/i)
    await expect(ask('RegisterMachine', machine('ci-3'), { from: ci })).rejects.toThrow(/permission/i)
    // A user of whom Remuda has not been told is nobody, whatever its subject says.
    const subject = 'remuda.in.as.other.RegisterMachine'
    await expect(ask('RegisterMachine', machine('ci-4'), { token: null, subject })).rejects.toThrow(/no responders/i)
    expect(await eventsOf('MachineRegistered')).toHaveLength(2)

    await remuda.ask('DELETE', `tokens/${tokens.writer.tokenId}`)
    await until('the token is revoked', limitMs, async () => {
      const { code } = codeOf(await asCi(ci, 'ci-5'))
      return code === 'CREDENTIAL_INVALID'
    })
  })

  it('gets nothing past the door by trying', { timeout: 120_000 }, async () => {
    const [before, parkedBefore] = [await position(), (await parked()).length]
    const dice = createDice(20_261_124)
    const good = JSON.stringify({ name: 'web-9', environmentId: 'production' })
    const types = ['RegisterMachine', 'CreateEnvironment', 'RevokeToken', 'toString', '__proto__', 'x'.repeat(200)]
    const codes = new Map<string, number>()
    const attempt = async (n: number) => {
      const type = types[Math.floor(dice.chance() * types.length)]!
      const all = mutatedHeaders(dice.chance, type, `${tokens.admin.token.slice(0, -1)}${'-_'[n % 2]}`)
      const options = { timeout: limitMs, headers: headersOf(all) }
      const reply = await other.request(`remuda.in.${type}`, mutated(dice.chance, good), options)
      const { code = 'accepted' } = reply.json<{ code?: string }>()
      codes.set(code, (codes.get(code) ?? 0) + 1)
    }
    for (let n = 0; n < fuzzed; n += 50) await Promise.all(Array.from({ length: 50 }, (_, m) => attempt(n + m)))
    const refused = ['CREDENTIAL_INVALID', 'CREDENTIAL_MISSING', 'TOO_MANY_REQUESTS']
    expect([...codes.keys()].filter((code) => !refused.includes(code))).toEqual([])
    expect([...codes.values()].reduce((sum, count) => sum + count)).toBe(fuzzed)
    expect([await position(), (await parked()).length]).toEqual([before, parkedBefore])
    // Whoever may, still can.
    expect((await ask('CreateEnvironment', { id: 'afterwards' })).json()).toMatchObject({ accepted: true })
    expect(remuda.server!.output).not.toMatch(/FAULT|TypeError|unhandled/i)
  })

  it('with a credential breaks nothing by nonsense', { timeout: 120_000 }, async () => {
    const dice = createDice(4_711)
    const good = JSON.stringify({ name: 'web-9', environmentId: 'production', roles: ['web'], attributes: { a: 'b' } })
    const attempt = async () => {
      const all = { ...mutatedHeaders(dice.chance, 'RegisterMachine', 'x'), ...credential(undefined) }
      const options = { timeout: limitMs, headers: headersOf(all) }
      const reply = await other.request('remuda.in.RegisterMachine', mutated(dice.chance, good), options)
      const { status = 200 } = reply.json<{ status?: number }>()
      expect(status).toBeLessThan(500)
    }
    for (let n = 0; n < fuzzed / 2; n += 50) await Promise.all(Array.from({ length: 50 }, attempt))
    expect(remuda.server!.output).not.toMatch(/FAULT|TypeError|unhandled/i)
  })
})

/** What a program sends whose author has read half of the manual. */
function mutatedHeaders(chance: () => number, type: string, token: string): Record<string, string> {
  const all: Record<string, string> = {
    'ce-specversion': '1.0',
    'ce-id': String(chance()),
    'ce-source': '/outside',
    'ce-type': type,
    Authorization: `Bearer ${token}`,
  }
  for (const name of Object.keys(all)) {
    const roll = chance()
    if (roll < 0.1) delete all[name]
    else if (roll < 0.2) all[name] = ['', '%', '%FF', '💥', '1.0\t', 'x'.repeat(5_000)][Math.floor(chance() * 6)]!
  }
  if (chance() < 0.2) all['content-type'] = 'application/cloudevents+json'
  if (chance() < 0.1) all['remuda-token'] = token
  return all
}

/** The text with bytes of it replaced, doubled, cut off or left out. */
function mutated(chance: () => number, good: string): Uint8Array {
  let bytes = Buffer.from(good)
  for (let times = Math.floor(chance() * 4); times > 0 && bytes.length > 0; times--) {
    const at = Math.floor(chance() * bytes.length)
    const roll = chance()
    if (roll < 0.4) bytes[at] = Math.floor(chance() * 256)
    else if (roll < 0.6) bytes = bytes.subarray(0, at)
    else if (roll < 0.8) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)])
    else bytes = Buffer.concat([bytes, bytes.subarray(at)])
  }
  return bytes
}
