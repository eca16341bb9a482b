import type { Cause, Message } from '#contracts/message.ts'
import { deploymentStream, machineStream, policyStream } from '#contracts/subjects.ts'
import type { WebhookCommand } from '#contracts/webhook.ts'
import { createAsk } from '#libs/ask.ts'
import { createMemoryBus } from '#libs/bus/memory.ts'
import { silentLog } from '#libs/log.ts'
import type { Platform } from '#libs/platform.ts'
import { startRelay } from '#libs/relay.ts'
import { openMemoryStore } from '#libs/store/memory.ts'
import type { EventStore } from '#libs/store/store.ts'
import { secretIdOf, type SecretOwner, type Vault } from '#libs/vault/vault.ts'
import type { Letter, Post, Reply } from '#services/notify/post.ts'
import { startNotify, type Notify, type NotifySettings } from '#services/notify/service.ts'
import { createVirtualClock, type VirtualClock } from '#test/support/virtualClock.ts'

export const secret = `whsec_${Buffer.from('0123456789abcdef0123456789abcdef').toString('base64')}`
export const at = { id: 'production', version: '1.4.0', project: 'shop' }

/** A vault that ends with the test. */
export class MemoryVault implements Vault {
  readonly #values = new Map<string, string | null>()
  #versions = 0

  put = async (owner: SecretOwner, value: string) => {
    const kept = { secretId: secretIdOf(owner), version: (this.#versions += 1) }
    this.#values.set(`${kept.secretId}/${kept.version}`, value)
    return kept
  }
  read: Vault['read'] = async (_, { secretId, version }) => {
    const value = this.#values.get(`${secretId}/${version}`)
    return value === undefined ? 'unreadable' : value === null ? 'destroyed' : { value }
  }
  discard: Vault['discard'] = async ({ secretId, version }) => void this.#values.delete(`${secretId}/${version}`)
  destroy: Vault['destroy'] = async (secretId) => {
    for (const key of this.#values.keys()) if (key.startsWith(secretId)) this.#values.set(key, null)
    return this.#versions
  }
}

const answer = (status: number): Reply => ({ status, retryAfter: null, detail: `it answers ${status}` })
export const ok = answer(200)
export const silence: Reply = { status: null, retryAfter: null, detail: 'it cannot be reached (ECONNREFUSED)' }
export const answering = answer

/** The service on a store and a bus of its own, in virtual time, with a receiver that does what it is told. */
export class NotifyStage implements AsyncDisposable {
  readonly clock: VirtualClock
  readonly store: EventStore
  readonly platform: Platform
  readonly vault = new MemoryVault()
  readonly letters: Letter[] = []
  receive: (letter: Letter) => Reply | Promise<Reply> = () => ok
  /** Whether it is kept how far a webhook has come. */
  keeps: () => boolean = () => true
  #service: Notify | null = null
  readonly #settings: NotifySettings
  readonly #relay: AsyncDisposable
  #asked = 0

  constructor(settings: NotifySettings = {}, seed = 1) {
    this.clock = createVirtualClock({ seed })
    const { clock } = this
    const store = openMemoryStore({ clock })
    this.store = Object.assign(Object.create(store) as EventStore, {
      fenced: () => this.store,
      saveCheckpoint: async (name: string, position: number) => {
        if (!this.keeps()) throw new Error('the disk is full')
        await store.saveCheckpoint(name, position)
      },
    })
    for (const name of ['append', 'read', 'readAll', 'head', 'follow', 'loadCheckpoint', 'listCheckpoints'] as const)
      Object.assign(this.store, { [name]: store[name].bind(store) })
    const bus = createMemoryBus({ clock, log: silentLog })
    this.platform = { store: this.store, bus, clock, log: silentLog, ask: createAsk(bus, { timeoutMs: 5_000 }) }
    this.#relay = startRelay(this.platform)
    this.#settings = settings
  }

  #post: Post = async (letter) => {
    this.letters.push(letter)
    return this.receive(letter)
  }

  async start(): Promise<this> {
    const starting = startNotify(this.platform, { post: this.#post, vault: this.vault, ...this.#settings })
    void starting.then((service) => (this.#service = service))
    await this.clock.run(() => this.#service !== null, 10_000)
    await starting
    return this
  }

  async end(): Promise<void> {
    const ending = this.#service?.[Symbol.asyncDispose]()
    this.#service = null
    let isOver = false
    void ending?.then(() => (isOver = true))
    await this.clock.run(() => isOver || ending === undefined, 60_000)
    await ending
  }

  async ask(command: WebhookCommand, commandId = `c-${(this.#asked += 1)}`) {
    const cause: Cause = { actor: 'tester', commandId, correlationId: commandId, causationId: null }
    const asking = this.platform.ask('notify', command, cause)
    let isAnswered = false
    void asking.finally(() => (isAnswered = true)).catch(() => {})
    await this.clock.run(() => isAnswered, 10_000)
    return asking
  }

  /** Makes a webhook that hears of what is named. */
  async webhook(webhookId: string, hears: Partial<Extract<WebhookCommand, { type: 'CreateWebhook' }>['data']> = {}) {
    const kept = await this.vault.put({ projectId: 'webhook:', name: webhookId, scope: 'signing' }, secret)
    const heard = { topics: ['deployment-ended' as const], eventTypes: [], environmentIds: null, projectIds: null }
    const data = {
      webhookId,
      name: webhookId,
      url: `https://${webhookId}.example.com/`,
      ...heard,
      secret: kept,
      ...hears,
    }
    const answered = await this.ask({ type: 'CreateWebhook', data })
    await this.clock.advance(10)
    return answered
  }

  async append(stream: string, ...facts: readonly Message[]): Promise<void> {
    const { version } = await this.store.read(stream)
    const commandId = this.clock.id()
    const cause = { actor: 'tester', commandId, correlationId: commandId, causationId: null }
    await this.store.append(stream, version, facts, cause)
  }

  /** A deployment that is made and ends, each as an event. */
  async deployment(deploymentId: string, end: 'DeploymentSucceeded' | 'DeploymentFailed' = 'DeploymentFailed') {
    await this.append(deploymentStream(deploymentId), created(deploymentId), ended(deploymentId, end))
    await this.clock.advance(10)
  }

  /** The events of a webhook, without what they are made of. */
  async history(webhookId: string) {
    return (await this.store.read(`webhook-${webhookId}`)).events.map(({ type, data }) => ({ type, data }))
  }

  /** What the receiver of a webhook got, in order, by the `webhook-id` of each letter. */
  idsAt(webhookId: string): readonly string[] {
    const url = `https://${webhookId}.example.com/`
    return this.letters.filter((letter) => letter.url === url).map(({ headers }) => headers['webhook-id']!)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end()
    const closing = this.#relay[Symbol.asyncDispose]()
    let isOver = false
    void closing.then(() => (isOver = true))
    await this.clock.run(() => isOver, 60_000)
    await closing
  }
}

export const created = (deploymentId: string, kind = 'release', environmentId = at.id): Message => ({
  type: 'DeploymentCreated',
  data: { deploymentId, projectId: at.project, version: at.version, environmentId, kind },
})

export const ended = (deploymentId: string, type: string, failed = 1): Message => ({
  type,
  data: {
    deploymentId,
    reason: 'a step failed',
    outcomes: Array.from({ length: failed }, (_, index) => ({
      ...{ machineId: `m-${index}`, name: `web-${index}`, outcome: 'failed', reason: 'exit 1' },
    })),
  },
})

export const streams = { deployment: deploymentStream, machine: machineStream, policy: policyStream }
