import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { EnvironmentPolicy } from '#contracts/policySettings.ts'
import { environmentStream, policyStream } from '#contracts/subjects.ts'
import type { EventStore } from '#libs/store/store.ts'
import { Known } from '#services/policy/known.ts'
import { isNews } from '#services/policy/news.ts'
import { fileProvider } from '#services/policy/provider/file.ts'
import type { Inventory } from '#services/policy/provider/inventory.ts'
import { ProviderFault, type Provider, type ProviderPace } from '#services/policy/provider/provider.ts'
import { startPolicy } from '#services/policy/service.ts'
import { PolicyStage } from '#test/services/policy/policing.ts'
import { watchedStore } from '#test/support/stores.ts'

const usual: ProviderPace = { everyMs: 30_000, timeoutMs: 10_000, silentAfter: 3, absentMeans: 'unknown' }

/** A provider that says what a test wants it to say. */
class Cloud implements Provider {
  readonly name: string
  readonly kind = 'test'
  machines: Inventory['machines'] = []
  complete = true
  fault: string | null = null
  asked = 0
  answer: () => Promise<void> = async () => {}

  constructor(name = 'cloud') {
    this.name = name
  }

  list = async (): Promise<Inventory> => {
    this.asked += 1
    await this.answer()
    if (this.fault !== null) throw new ProviderFault(this.fault)
    return { machines: this.machines, complete: this.complete }
  }

  says(states: Record<string, 'running' | 'stopped' | 'terminated'>): this {
    this.machines = Object.entries(states).map(([name, state]) => ({ name, state }))
    return this
  }
}

class Stage extends PolicyStage {
  readonly cloud = new Cloud()
  pace = usual

  async start(...others: readonly Provider[]): Promise<void> {
    const providers = [this.cloud, ...others].map((provider) => ({ provider, pace: this.pace }))
    this.policy = this.use(await startPolicy(this.platform, { providers }))
  }
  listening = (environmentId: string, provider: string | null = 'cloud') =>
    this.environment(environmentId, { dynamicRegistration: { provider } })
  async changed(environmentId: string, provider: string | null): Promise<void> {
    const policy = EnvironmentPolicy.parse({ dynamicRegistration: { provider } })
    const data = { environmentId, policy, policyVersion: 2 }
    await this.happened(environmentStream(environmentId), { type: 'EnvironmentPolicyChanged', data })
  }
  /** What providers have said in the environment, as `m-1 running`, `silent`. */
  async said(environmentId = 'production'): Promise<readonly string[]> {
    const events = (await this.events(policyStream(environmentId))).filter(({ type }) => type.startsWith('Provider'))
    return events.flatMap(({ type, data }) => {
      const { machines = [], detail } = data as { machines?: { machineId: string; state: string }[]; detail?: string }
      if (type === 'ProviderFellSilent') return [`silent: ${detail}`]
      return machines.length === 0 ? ['answers'] : machines.map(({ machineId, state }) => `${machineId} ${state}`)
    })
  }
  /** So long that everybody has been asked once more. */
  round = () => this.clock.advance(this.pace.everyMs)
}

async function stage(takeOver?: (store: EventStore) => EventStore): Promise<Stage> {
  const on = new Stage(takeOver)
  on.neighbours()
  await on.listening('production')
  await on.machine('m-1')
  await on.machine('m-2')
  return on
}

describe('what a provider says', () => {
  it('is written down in the stream of the environment, by policy, because of the policy that names it', async () => {
    const on = await stage()
    on.cloud.says({ 'm-1': 'running', 'm-2': 'stopped', 'm-3': 'running' })
    await on.start()
    await on.clock.advance(5_000)
    const [event] = await on.events(policyStream('production'))
    const [created] = await on.events(environmentStream('production'))
    expect(event).toMatchObject({
      type: 'ProviderAnswered',
      data: {
        provider: 'cloud',
        machines: [
          { machineId: 'm-1', state: 'running' },
          { machineId: 'm-2', state: 'stopped' },
        ],
      },
      meta: { actor: 'service:policy', causationId: created?.meta.id, correlationId: created?.meta.correlationId },
    })
  })
  it('is written down as far as it is another thing than before', async () => {
    const on = await stage()
    on.cloud.says({ 'm-1': 'running', 'm-2': 'running' })
    await on.start()
    await on.round()
    await on.round()
    on.cloud.says({ 'm-1': 'running', 'm-2': 'terminated' })
    await on.round()
    on.cloud.says({ 'm-2': 'terminated' })
    await on.round()
    await on.round()
    expect(await on.said()).toEqual(['m-1 running', 'm-2 running', 'm-2 terminated', 'm-1 unknown'])
  })
  it('means that a machine is terminated which it lists no more, where the server is told so and the list is complete', async () => {
    const on = await stage()
    on.pace = { ...usual, absentMeans: 'terminated' }
    on.cloud.says({ 'm-1': 'running', 'm-2': 'running' })
    await on.start()
    await on.round()
    on.cloud.says({ 'm-2': 'running' })
    await on.round()
    on.cloud.says({ 'm-1': 'running', 'm-2': 'running' })
    await on.round()
    on.cloud.says({ 'm-1': 'running' }).complete = false
    await on.round()
    expect((await on.said()).slice(2)).toEqual(['m-1 terminated', 'm-1 running', 'm-2 unknown'])
  })
  it('is written down for every environment that listens, of its own machines', async () => {
    const on = await stage()
    await on.listening('staging')
    await on.listening('elsewhere', null)
    await on.machine('s-1', { environmentId: 'staging' })
    await on.machine('e-1', { environmentId: 'elsewhere' })
    on.cloud.says({ 'm-1': 'running', 's-1': 'stopped', 'e-1': 'terminated' })
    await on.start()
    await on.round()
    expect([await on.said(), await on.said('staging'), await on.said('elsewhere')]).toEqual([
      ['m-1 running', 'm-2 unknown'],
      ['s-1 stopped'],
      [],
    ])
    expect(on.cloud.asked).toBeLessThanOrEqual(2)
  })
  it('is written down of machines that come, also that they are not listed, and of those that come back', async () => {
    const on = await stage()
    on.cloud.says({ 'm-1': 'running', 'm-3': 'running' })
    await on.start()
    await on.round()
    await on.machine('m-3')
    await on.machine('m-4')
    await on.deregistered('m-1')
    await on.round()
    expect(await on.said()).toEqual(['m-1 running', 'm-2 unknown', 'm-3 running', 'm-4 unknown'])
    await on.machine('m-1')
    await on.round()
    await on.round()
    expect((await on.said()).slice(4)).toEqual(['m-1 running'])
  })
  it('is written down anew when the policy has named another provider meanwhile, or none', async () => {
    const on = await stage()
    on.cloud.says({ 'm-1': 'running', 'm-2': 'running' })
    await on.start()
    await on.round()
    await on.changed('production', null)
    await on.round()
    await on.changed('production', 'cloud')
    await on.round()
    await on.round()
    expect(await on.said()).toEqual(['m-1 running', 'm-2 running', 'm-1 running', 'm-2 running'])
  })
  it('is not written down again after a restart', async () => {
    const on = await stage()
    on.cloud.says({ 'm-1': 'running' })
    await on.start()
    await on.round()
    await on.policy[Symbol.asyncDispose]()
    on.cloud.says({ 'm-1': 'running', 'm-2': 'running' })
    await on.start()
    await on.round()
    expect(await on.said()).toEqual(['m-1 running', 'm-2 unknown', 'm-2 running'])
  })
  it('is written down at the next answer when it could not be', async () => {
    let isBroken = true
    const on = await stage((inner) =>
      watchedStore(inner, {
        append: async (stream, ...rest) => {
          if (isBroken && stream === policyStream('production')) throw new Error('the disk is full')
          return inner.append(stream, ...rest)
        },
      }),
    )
    on.cloud.says({ 'm-1': 'running' })
    await on.start()
    await on.round()
    expect([await on.said(), on.log.linesOf('error')]).toEqual([
      [],
      expect.arrayContaining(['what a provider says could not be written down; it will be again']),
    ])
    isBroken = false
    await on.round()
    expect(await on.said()).toEqual(['m-1 running', 'm-2 unknown'])
  })
  it('is looked at by the policy of the environment at once', () => {
    const about = { environmentId: 'production', provider: 'cloud', at: 1 }
    for (const type of ['ProviderAnswered', 'ProviderFellSilent']) {
      const event = { type, data: { ...about, machines: [], detail: '' }, meta: {} } as never
      expect(isNews(event) && new Known().apply(event)).toEqual(['production'])
    }
  })
  it('is not believed where machines cannot be told apart, which is said once', async () => {
    const on = await stage()
    await on.listening('staging')
    const who = { machineId: 's-1', name: 'm-1', environmentId: 'staging', roles: [], facts: null, attributes: {} }
    const data = { ...who, publicKey: null, enrollmentId: null, returnedFrom: null }
    await on.happened('machine-s-1', { type: 'MachineRegistered', data })
    on.cloud.says({ 'm-1': 'terminated', 'm-2': 'running' })
    await on.start()
    await on.round()
    await on.round()
    expect([await on.said(), await on.said('staging')]).toEqual([['m-1 unknown', 'm-2 running'], ['s-1 unknown']])
    expect(on.log.linesOf('warn')).toHaveLength(1)
    expect(on.log.linesOf('warn')[0]).toContain('cannot be told apart')
  })
})

describe('a provider is asked', () => {
  it('at its pace, beginning at a moment of chance', async () => {
    const on = await stage()
    await on.start()
    await on.clock.advance(5_000)
    expect(on.cloud.asked).toBe(1)
    await on.clock.advance(300_000)
    expect(on.cloud.asked).toBe(11)
  })
  it('only while somebody listens, and at once when somebody begins to', async () => {
    const on = new Stage()
    await on.listening('production', null)
    await on.machine('m-1')
    on.cloud.says({ 'm-1': 'running' })
    await on.start()
    await on.clock.advance(600_000)
    expect(on.cloud.asked).toBe(0)
    await on.changed('production', 'cloud')
    await on.clock.advance(1_000)
    expect([on.cloud.asked, await on.said()]).toEqual([1, ['m-1 running']])
    await on.changed('production', null)
    await on.clock.advance(600_000)
    expect(on.cloud.asked).toBe(1)
  })
  it('again at once when somebody begins to listen while it is asked', async () => {
    const on = await stage()
    on.cloud.answer = () => on.clock.sleep(8_000)
    await on.start()
    await on.clock.advance(6_000)
    expect(on.cloud.asked).toBe(1)
    await on.listening('staging')
    await on.clock.advance(11_000)
    expect([on.cloud.asked, await on.said('staging')]).toEqual([2, ['answers']])
  })
  it('never twice at once, however slow it is, and not for ever', async () => {
    const on = await stage()
    on.pace = { ...usual, everyMs: 1_000, timeoutMs: 5_000 }
    let [now, most] = [0, 0]
    on.cloud.answer = async () => {
      most = Math.max(most, (now += 1))
      await on.clock.sleep(30_000)
      now -= 1
    }
    await on.start()
    await on.clock.advance(120_000)
    expect(most).toBe(1)
    expect(on.cloud.asked).toBeGreaterThan(2)
    expect(await on.said()).toEqual(['silent: the question before has not ended yet'])
  })
  it('no more when the service stops, which does not wait for an answer', async () => {
    const on = await stage()
    on.cloud.answer = () => new Promise(() => {})
    await on.start()
    await on.clock.advance(6_000)
    await on.policy[Symbol.asyncDispose]()
    await on.clock.advance(600_000)
    expect([on.cloud.asked, await on.said()]).toEqual([1, []])
  })
})

describe('a provider that cannot be asked', () => {
  it('falls silent after some failures, once, and is heard again with its next answer', async () => {
    const on = await stage()
    on.cloud.says({ 'm-1': 'running', 'm-2': 'running' })
    await on.start()
    await on.round()
    on.cloud.fault = 'it answers 503'
    await on.round()
    await on.round()
    expect(await on.said()).toEqual(['m-1 running', 'm-2 running'])
    for (let turn = 0; turn < 5; turn++) await on.round()
    expect(await on.said()).toEqual(['m-1 running', 'm-2 running', 'silent: it answers 503'])
    on.cloud.fault = null
    await on.round()
    await on.round()
    expect(await on.said()).toEqual(['m-1 running', 'm-2 running', 'silent: it answers 503', 'answers'])
  })
  it('is silent for those as well who begin to listen then', async () => {
    const on = await stage()
    on.cloud.fault = 'it answers 503'
    await on.start()
    for (let turn = 0; turn < 4; turn++) await on.round()
    await on.listening('staging')
    await on.round()
    expect(await on.said('staging')).toEqual(['silent: it answers 503'])
  })
  it('is silent, and nothing else, where the server has none of that name', async () => {
    const on = await stage()
    await on.listening('staging', 'clowd')
    await on.start()
    await on.clock.advance(120_000)
    const silence = 'silent: this server has no provider of that name; see REMUDA_PROVIDERS_FILE'
    expect(await on.said('staging')).toEqual([silence])
    await on.changed('staging', 'cloud')
    await on.round()
    await on.changed('staging', 'clowd')
    await on.round()
    expect(await on.said('staging')).toEqual([silence, 'answers', silence])
  })
  it('is heard when the server has it again', async () => {
    const on = await stage()
    await on.listening('staging', 'rack')
    await on.start()
    await on.clock.advance(5_000)
    await on.policy[Symbol.asyncDispose]()
    await on.start(new Cloud('rack'))
    await on.round()
    expect((await on.said('staging')).at(-1)).toBe('answers')
  })
})

describe('those who ask about providers', () => {
  it('are told how each answers, and of those that are named and not there', async () => {
    const on = await stage()
    await on.listening('staging', 'clowd')
    on.cloud.says({ 'm-1': 'running', x: 'stopped' })
    await on.start(new Cloud('idle'))
    await on.clock.advance(5_000)
    on.cloud.fault = 'it answers 503'
    await on.round()
    const answer = await on.ask('policy', 'ListProviders', {})
    const nothing = {
      environmentIds: [],
      lastAnswerAt: null,
      machinesListed: 0,
      doubts: [],
      failures: 0,
      silentSince: null,
    }
    expect(answer).toMatchObject({
      accepted: true,
      result: {
        items: [
          {
            ...{ name: 'cloud', kind: 'test', environmentIds: ['production'], machinesListed: 2, failures: 1 },
            ...{
              lastFailure: 'it answers 503',
              silentSince: null,
              lastAnswerAt: expect.stringMatching(/^2026-01-01T00:00:0/),
            },
          },
          { name: 'idle', kind: 'test', ...nothing },
          {
            name: 'clowd',
            kind: null,
            ...nothing,
            environmentIds: ['staging'],
            lastFailure: expect.stringContaining('no provider'),
          },
        ],
      },
    })
    await on.round()
    await on.round()
    expect(await on.ask('policy', 'ListProviders', {})).toMatchObject({
      result: { items: [{ failures: 3, silentSince: expect.stringMatching(/^2026-01-01T00:01/) }, {}, {}] },
    })
  })
})

it('a file on the server is a provider, from its bytes to the events', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'remuda-provider-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'machines.yaml')
  writeFileSync(path, 'machines:\n  - id: m-1\n    state: running\ncomplete: true\n')
  const on = await stage()
  await on.changed('production', 'rack')
  await on.start(fileProvider({ name: 'rack', path, bytesMax: 1_000 }))
  const eventually = (said: readonly string[]) =>
    expect.poll(async () => (await on.clock.advance(1_000), on.said()), { interval: 5, timeout: 10_000 }).toEqual(said)
  await eventually(['m-1 running', 'm-2 unknown'])
  writeFileSync(path, 'machines:\n  - id: m-1\n    state: terminated\ncomplete: true\n')
  await eventually(['m-1 running', 'm-2 unknown', 'm-1 terminated'])
  rmSync(path)
  await eventually(['m-1 running', 'm-2 unknown', 'm-1 terminated', 'silent: its file cannot be read (ENOENT)'])
})
