import { connect, type Msg, type NatsConnection } from '@nats-io/transport-node'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { ServiceName } from '#contracts/command.ts'
import type { Message } from '#contracts/message.ts'
import { heartbeatSignal } from '#contracts/subjects.ts'
import { createAsk } from '#libs/ask.ts'
import { openNatsBus } from '#libs/bus/nats.ts'
import { silentLog } from '#libs/log.ts'
import type { Platform } from '#libs/platform.ts'
import { openMemoryStore } from '#libs/store/memory.ts'
import { systemClock as clock } from '#libs/systemClock.ts'
import { startServices } from '#services/start.ts'
import { cause } from '#test/services/registry/platform.ts'
import { outside } from '#test/libs/inbound/outside.ts'
import { findNats, NatsServer } from '#test/support/servers.ts'
import { contradiction, contradictionOf, readAsyncApi, type Heard } from './asyncapi.ts'

const program = await findNats()
const document = await readAsyncApi()

const eventually = (check: () => void) => vi.waitFor(check, { timeout: 10_000 })

const heardIn = ({ subject, headers, data }: Msg): Heard => ({
  subject,
  headers: Object.fromEntries([...(headers ?? [])].map(([name, [value = '']]) => [name, value])),
  payload: data.length === 0 ? undefined : (JSON.parse(new TextDecoder().decode(data)) as unknown),
})

/** Which message of its channel it should be: events say it in a header, commands in the body, answers by being one. */
function typeOf({ subject, headers, payload }: Heard): string {
  if (subject.startsWith(heartbeatSignal(''))) return 'Heartbeats'
  if (subject.startsWith('remuda.in.')) return `in.${headers['ce-type']}`
  return headers['ce-type'] ?? (payload as { command: { type: string } }).command.type
}

describe.skipIf(program === null)('what an outsider hears on a real server of NATS', () => {
  let server: NatsServer
  let outsider: NatsConnection
  const heard: Heard[] = []
  const answers: Heard[] = []
  beforeAll(async () => {
    server = await NatsServer.start(program!)
    outsider = await connect({ servers: server.url })
    outsider.subscribe('remuda.>', { callback: (_, message) => void heard.push(heardIn(message)) })
    // Where the answers of others go, an outsider that may hear everything hears them too.
    outsider.subscribe('_INBOX.>', { callback: (_, message) => void answers.push(heardIn(message)) })
    await outsider.flush()
  })
  beforeEach(() => {
    heard.length = 0
    answers.length = 0
  })
  afterAll(async () => {
    await outsider.close()
    await server[Symbol.asyncDispose]()
  })

  it('is what the AsyncAPI document says', async () => {
    await using bus = await openNatsBus(server.url, { clock, log: silentLog, allowOldServer: true })
    await using store = openMemoryStore({ clock })
    const ask = createAsk(bus, { timeoutMs: 5_000 })
    const platform: Platform = { store, bus, clock, log: silentLog, ask }
    await using _services = await startServices(platform, {
      names: ['relay', 'registry', 'health', 'gateway', 'policy', 'deployment'],
      query: { databaseFile: ':memory:', version: '0' },
      gateway: { gatewayId: 'gateway-1' },
    })
    for (const [service, command, to] of asked)
      expect(await ask(service, command, cause(), to)).toHaveProperty('accepted')
    for (const [service, command] of refused) expect(await ask(service, command, cause())).toHaveProperty('refused')
    await eventually(() => expect(heard.map(typeOf)).toEqual(expect.arrayContaining(expected)))
    await eventually(() => expect(answers).toHaveLength(asked.length + refused.length))

    const contradictions = heard.flatMap((one) => contradiction(document, one, typeOf(one)) ?? [])
    expect(contradictions).toEqual(['EnableMachine: data/command/data/machineId must be string'])

    const answer = document.channels().get('answers')!.messages().get('Answer')!
    expect(answers.flatMap((one) => contradictionOf(answer, one) ?? [])).toEqual([])
  })

  it('and asks for itself is what the AsyncAPI document says, and so are its answers', async () => {
    const bus = await openNatsBus(server.url, { clock, log: silentLog, allowOldServer: true })
    const { ask } = await outside({ platform: { bus } })
    expect(await ask('CreateEnvironment', { id: environmentId })).toHaveProperty('accepted')
    expect(await ask('EnableMachine', { machineId })).toHaveProperty('said')
    expect(await ask('EnableMachine', { machineId: 9 })).toHaveProperty('said')

    const inbound = () => answers.filter(({ headers }) => 'content-type' in headers)
    await eventually(() => expect(inbound()).toHaveLength(3))
    const contradictions = heard.flatMap((one) => contradiction(document, one, typeOf(one)) ?? [])
    expect(contradictions).toEqual(['in.EnableMachine: data/machineId must be string'])
    const messages = document.channels().get('requestAnswers')!.messages()
    const wrong = inbound().flatMap((one) => {
      const type = one.headers['content-type'] === 'application/json' ? 'RequestAccepted' : 'RequestRefused'
      return contradictionOf(messages.get(type)!, one) ?? []
    })
    expect(wrong).toEqual([])
  })
})

const environmentId = 'production'
const machineId = 'm-0123456789abcdef0123'
const self = { facts: null, attributes: {}, publicKey: null, enrollmentId: null, force: false }
const asked: readonly (readonly [ServiceName, Message, string?])[] = [
  ['registry', { type: 'CreateEnvironment', data: { environmentId, name: 'Prödüction "1"' } }],
  ['registry', { type: 'RegisterMachine', data: { machineId, name: 'web-1', environmentId, roles: ['web'], ...self } }],
  ['deployment', { type: 'CreateProject', data: { projectId: 'shop', name: 'Shop' } }],
  ['gateway', { type: 'PingMachine', data: { machineId } }, 'gateway-1'],
]
const refused = [
  ['registry', { type: 'EnableMachine', data: { machineId: 'm-9' } }],
  ['registry', { type: 'EnableMachine', data: { machineId: 9 } }],
] as const
const expected = [
  ...['CreateEnvironment', 'RegisterMachine', 'CreateProject', 'PingMachine'],
  ...['EnvironmentCreated', 'MachineRegistered', 'ProjectCreated', 'Heartbeats'],
]
