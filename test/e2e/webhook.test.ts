import { createHmac, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Deliveries, Notification, WebhookRow } from '#contracts/webhookRows.ts'
import { Remuda, until } from '../support/remuda.ts'

const withinMs = 30_000
const flags = ['--webhook-allow', 'http,loopback', '--webhook-retry-ms', '100ms', '--webhook-timeout-ms', '1s']

interface Received {
  readonly id: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** A receiver as somebody else would write it: it knows its secret, the standard, and nothing of Remuda. */
class Receiver implements AsyncDisposable {
  readonly received: Received[] = []
  answer: (reply: ServerResponse) => void = (reply) => void reply.writeHead(204).end()
  readonly #server = createServer(async (request, reply) => {
    const body = await text(request)
    this.received.push({ id: String(request.headers['webhook-id']), headers: request.headers, body })
    this.answer(reply)
  })

  async listen(): Promise<this> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening')
    return this
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook`
  }

  get last(): Notification {
    return JSON.parse(this.received.at(-1)!.body) as Notification
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

function isSignedBy({ headers, body }: Received, secret: string): boolean {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
  const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`
  const expected = createHmac('sha256', key).update(signed).digest()
  return String(headers['webhook-signature'])
    .split(' ')
    .map((one) => Buffer.from(one.split(',')[1]!, 'base64'))
    .some((given) => given.length === expected.length && timingSafeEqual(given, expected))
}

describe('a webhook of a real server', () => {
  let remuda: Remuda
  let receiver: Receiver
  let made: { webhookId: string; secret: string }
  beforeAll(async () => {
    remuda = await Remuda.start(flags)
    receiver = await new Receiver().listen()
    await remuda.ask('POST', 'environments', { id: 'production' })
    await remuda.ask('POST', 'projects', { id: 'shop' })
    const steps = [{ id: 'say', kind: 'script', roles: ['web'], script: 'true' }]
    await remuda.ask('PUT', 'projects/shop/process', { steps })
    await remuda.ask('POST', 'projects/shop/releases', { version: '1.0.0' })
    const wanted = { name: 'chat', url: receiver.url, topics: ['deployment-ended'] }
    made = await remuda.ask('POST', 'webhooks', wanted)
  })
  afterAll(async () => {
    await remuda[Symbol.asyncDispose]()
    await receiver[Symbol.asyncDispose]()
  })

  /** A deployment without targets, which ends at once. */
  const deploy = async () => {
    const wanted = { projectId: 'shop', version: '1.0.0', environmentId: 'production', allowNoTargets: true }
    return (await remuda.ask<{ id: string }>('POST', 'deployments', wanted)).id
  }
  const seen = (deploymentId: string) =>
    until(`${deploymentId} is told of`, withinMs, async () =>
      receiver.received.find(({ body }) => (JSON.parse(body) as Notification).subject === deploymentId),
    )
  const deliveries = () => remuda.ask<Deliveries>('GET', `webhooks/${made.webhookId}/deliveries`)

  it('brings what happened, signed with the secret that was shown once', async () => {
    const got = await seen(await deploy())
    expect(isSignedBy(got, made.secret)).toBe(true)
    expect(isSignedBy({ ...got, body: got.body.replace('shop', 'shed') }, made.secret)).toBe(false)
    expect(receiver.last).toMatchObject({
      specversion: '1.0',
      data: { environmentId: 'production', projectId: 'shop' },
    })
    const row = await remuda.ask<WebhookRow>('GET', `webhooks/${made.webhookId}`)
    expect(row).toMatchObject({ state: 'enabled', name: 'chat', secrets: 1 })
    const log = await remuda.ask('GET', 'events?limit=1000')
    expect(JSON.stringify([log, row, await deliveries()]) + remuda.server!.output).not.toContain(made.secret.slice(6))
  })

  it('is tried again with the same id until it is taken', async () => {
    let failures = 2
    receiver.answer = (reply) => void reply.writeHead(failures-- > 0 ? 500 : 200).end('a body that nobody keeps')
    const { id } = await seen(await deploy())
    await until('it is delivered', withinMs, async () => {
      const [first] = (await deliveries()).items
      return first?.id === id && first.outcome === 'delivered' && first.attempts === 3
    })
    expect(receiver.received.filter((one) => one.id === id)).toHaveLength(3)
  })

  it('is not led elsewhere, nor held up for ever', async () => {
    receiver.answer = (reply) => void reply.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()
    const { id } = await seen(await deploy())
    await until('it is told that it redirects', withinMs, async () => (await deliveries()).items[0]?.status === 302)
    receiver.answer = () => {}
    await until('it is told that it hangs', withinMs, async () =>
      (await deliveries()).items[0]?.detail.includes('did not answer within 1000 ms'),
    )
    receiver.answer = (reply) => void reply.writeHead(200).end()
    await until('it is delivered', withinMs, async () => {
      const [first] = (await deliveries()).items
      return first?.id === id && first.outcome === 'delivered'
    })
  })

  it('loses nothing when the server is killed while it waits', async () => {
    receiver.answer = (reply) => void reply.writeHead(503).end()
    const deployed = [await deploy(), await deploy(), await deploy()]
    await seen(deployed[0]!)
    await remuda.server!.end('SIGKILL')
    receiver.answer = (reply) => void reply.writeHead(200).end()
    await remuda.startServer(flags)
    await Promise.all(deployed.map(seen))
    const subjects = receiver.received.map(({ body }) => (JSON.parse(body) as Notification).subject)
    const order = [...new Set(subjects)].filter((subject) => deployed.includes(subject))
    expect(order).toEqual(deployed)
    const ids = new Set(receiver.received.map(({ id, body }) => `${id} ${(JSON.parse(body) as Notification).subject}`))
    expect(ids.size).toBe(new Set(subjects).size)
  })
})
