import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { SigningSecret } from '#contracts/webhook.ts'
import { answering, NotifyStage, ok, secret, silence } from './notifying.ts'

const limits = { baseMs: 1_000, delayMaxMs: 60_000, giveUpMs: 600_000, failuresMax: 2, waitingMax: 3 }
const begun = (changes = {}) => new NotifyStage({ limits: { ...limits, ...changes } }).start()
const secretOf = async (stage: NotifyStage) =>
  ((await stage.history('a'))[0]!.data as { readonly secret: SigningSecret }).secret
const typesOf = async (stage: NotifyStage, id: string) => (await stage.history(id)).map(({ type }) => type)

describe('a webhook', () => {
  it('hears of what happens after it was made, signed as the standard says', async () => {
    await using stage = await begun()
    await stage.deployment('d-0')
    await stage.webhook('a')
    await stage.deployment('d-1')
    const [{ headers, body }, ...others] = stage.letters as [(typeof stage.letters)[0]]
    expect(others).toEqual([])
    expect(JSON.parse(body)).toMatchObject({ id: headers['webhook-id'], subject: 'd-1' })
    const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`
    const key = Buffer.from(secret.slice('whsec_'.length), 'base64')
    const expected = createHmac('sha256', key).update(signed).digest('base64')
    expect(headers['webhook-signature']).toBe(`v1,${expected}`)
    expect(Number(headers['webhook-timestamp'])).toBe(Math.floor(stage.clock.wallMs() / 1_000))
  })

  it('is not told twice of what it was told before a restart', async () => {
    await using stage = await begun()
    await stage.webhook('a')
    await stage.deployment('d-1')
    await stage.end()
    await stage.start()
    await stage.deployment('d-2')
    expect(stage.idsAt('a')).toHaveLength(2)
    expect(new Set(stage.idsAt('a')).size).toBe(2)
  })

  it('that is enabled again begins with what happens then', async () => {
    await using stage = await begun()
    await stage.webhook('a')
    await stage.ask({ type: 'DisableWebhook', data: { webhookId: 'a', reason: 'moved' } })
    await stage.deployment('d-1')
    await stage.ask({ type: 'EnableWebhook', data: { webhookId: 'a' } })
    await stage.clock.advance(10)
    await stage.deployment('d-2')
    expect(stage.letters.map(({ body }) => (JSON.parse(body) as { subject: string }).subject)).toEqual(['d-2'])
  })

  it('is refused where it could never send, and what is wrong is said', async () => {
    await using stage = await begun()
    expect(await stage.webhook('a', { url: 'http://a.example.com/' })).toMatchObject({
      refused: 'WEBHOOK_ADDRESS_REFUSED',
    })
    expect(await stage.webhook('b', { url: 'https://169.254.169.254/' })).toMatchObject({
      refused: 'WEBHOOK_ADDRESS_REFUSED',
      detail: expect.stringContaining('metadata service') as string,
    })
    expect(await stage.webhook('c', { topics: [] })).toMatchObject({ refused: 'WEBHOOK_INVALID' })
    expect(await stage.webhook('d', { eventTypes: ['NoSuchThing'] })).toMatchObject({ refused: 'WEBHOOK_INVALID' })
    expect(await stage.webhook('e', { eventTypes: ['WebhookDisabled'] })).toMatchObject({ refused: 'WEBHOOK_INVALID' })
    expect(await stage.ask({ type: 'EnableWebhook', data: { webhookId: 'a' } })).toMatchObject({
      refused: 'WEBHOOK_UNKNOWN',
    })
  })

  it('signs with two secrets while one is replaced, and with one when the other is not to be trusted', async () => {
    await using stage = await begun()
    await stage.webhook('a')
    const owner = { projectId: 'webhook:', name: 'a', scope: 'signing' }
    const rotate = async (keepPrevious: boolean) => {
      const version = await stage.vault.put(owner, secret)
      await stage.ask({ type: 'RotateWebhookSecret', data: { webhookId: 'a', secret: version, keepPrevious } })
      await stage.deployment(`d-${version.version}`)
      return stage.letters.at(-1)!.headers['webhook-signature']!.split(' ').length
    }
    expect([await rotate(true), await rotate(true), await rotate(false)]).toEqual([2, 2, 1])
    // What signs no more is not kept.
    const first = await secretOf(stage)
    expect(await stage.vault.read(owner, first)).toBe('unreadable')
  })

  it('that is deleted takes its secrets with it', async () => {
    await using stage = await begun()
    await stage.webhook('a')
    const first = await secretOf(stage)
    await stage.ask({ type: 'DeleteWebhook', data: { webhookId: 'a' } })
    const owner = { projectId: 'webhook:', name: 'a', scope: 'signing' }
    expect(await stage.vault.read(owner, first)).toBe('destroyed')
    await stage.deployment('d-1')
    expect(stage.letters).toEqual([])
  })

  it('can be tested, also while it is disabled; nothing is recorded', async () => {
    await using stage = await begun()
    await stage.webhook('a')
    await stage.ask({ type: 'DisableWebhook', data: { webhookId: 'a', reason: 'x' } })
    const before = await stage.history('a')
    stage.receive = () => answering(401)
    const tested = await stage.ask({ type: 'TestWebhook', data: { webhookId: 'a' } })
    expect(tested).toMatchObject({ result: { delivered: false, status: 401, detail: 'it answers 401' } })
    expect(await stage.history('a')).toEqual(before)
    expect(JSON.parse(stage.letters[0]!.body)).toMatchObject({ type: 'WebhookTest', position: 0 })
  })
})

describe('a receiver that fails', () => {
  it('is tried again with growing pauses, in order, and its deliveries are told', async () => {
    await using stage = await begun()
    await stage.webhook('a')
    const times: number[] = []
    stage.receive = () => {
      times.push(stage.clock.steadyMs())
      return times.length < 5 ? answering(500) : ok
    }
    await stage.deployment('d-1')
    await stage.deployment('d-2')
    const waits = await stage.ask({ type: 'ListDeliveries', data: { webhookId: 'a' } })
    expect(waits).toMatchObject({ result: { waiting: 2, items: [{ outcome: 'failed', attempts: 1, status: 500 }] } })
    await stage.clock.advance(60_000)
    const pauses = times.slice(1, 5).map((at, index) => at - times[index]!)
    for (const [index, pause] of pauses.entries()) {
      expect(pause).toBeGreaterThanOrEqual(500 * 2 ** index)
      expect(pause).toBeLessThanOrEqual(1_001 * 2 ** index)
    }
    const [first, second] = [...new Set(stage.idsAt('a'))]
    expect(stage.idsAt('a')).toEqual([first, first, first, first, first, second])
    const told = await stage.ask({ type: 'ListDeliveries', data: { webhookId: 'a' } })
    expect(told).toMatchObject({
      result: { waiting: 0, nextAttemptAt: null, items: [{ attempts: 1 }, { attempts: 5 }] },
    })
  })

  it('is left alone for as long as it asks, but not for ever', async () => {
    await using stage = await begun()
    await stage.webhook('a')
    const times: number[] = []
    const asks = ['20', new Date(stage.clock.wallMs() + 60_000).toUTCString(), '86400', null]
    stage.receive = () => {
      times.push(stage.clock.steadyMs())
      const retryAfter = asks[times.length - 1] ?? null
      return retryAfter === null ? ok : { status: 503, retryAfter, detail: 'busy' }
    }
    await stage.deployment('d-1')
    await stage.clock.advance(300_000)
    const [one, two, three] = times.slice(1).map((at, index) => at - times[index]!)
    expect(one).toBe(20_000)
    expect(two).toBeGreaterThan(38_000)
    expect(three).toBe(limits.delayMaxMs)
  })

  it('and says that it is gone is not called again', async () => {
    await using stage = await begun()
    await stage.webhook('a')
    stage.receive = () => answering(410)
    await stage.deployment('d-1')
    await stage.deployment('d-2')
    await stage.clock.advance(300_000)
    expect(stage.letters).toHaveLength(1)
    expect(await stage.history('a')).toMatchObject([
      { type: 'WebhookCreated' },
      { type: 'NotificationsDropped', data: { cause: 'disabled', count: 1 } },
      { type: 'WebhookDisabled', data: { by: 'receiver' } },
    ])
  })

  it('for too long loses what it did not take, and is disabled with the reason after some of them', async () => {
    await using stage = await begun()
    await stage.webhook('a')
    stage.receive = () => silence
    for (const id of ['d-1', 'd-2', 'd-3']) await stage.deployment(id)
    await stage.clock.advance(1_000_000)
    expect(await stage.history('a')).toMatchObject([
      { type: 'WebhookCreated' },
      { type: 'NotificationsDropped', data: { cause: 'gave-up', count: 1, detail: silence.detail } },
      { type: 'NotificationsDropped', data: { cause: 'gave-up', count: 1 } },
      { type: 'NotificationsDropped', data: { cause: 'disabled', count: 1 } },
      { type: 'WebhookDisabled', data: { by: 'failures', reason: expect.stringContaining('ECONNREFUSED') as string } },
    ])
  })

  it('is told of again at once when its webhook is changed', async () => {
    await using stage = await begun()
    await stage.webhook('a')
    stage.receive = ({ url }) => (url.endsWith('/new') ? ok : silence)
    await stage.deployment('d-1')
    await stage.clock.advance(100_000)
    await stage.ask({ type: 'ChangeWebhook', data: { webhookId: 'a', url: 'https://a.example.com/new' } })
    await stage.clock.advance(10)
    expect(stage.letters.at(-1)?.url).toBe('https://a.example.com/new')
  })

  it('does not delay others, and what more than may wait came for it is told to be lost', async () => {
    await using stage = await begun()
    await stage.webhook('slow')
    await stage.webhook('quick')
    const { url } = { url: 'https://slow.example.com/' }
    let letGo = () => {}
    const hangs = new Promise<typeof ok>((resolve) => (letGo = () => resolve(ok)))
    stage.receive = (letter) => (letter.url === url ? hangs : ok)
    for (let at = 1; at <= 8; at++) await stage.deployment(`d-${at}`)
    expect(stage.idsAt('quick')).toHaveLength(8)
    expect(stage.idsAt('slow')).toHaveLength(1)
    await stage.clock.advance(6_000)
    expect(await stage.history('slow')).toMatchObject([
      { type: 'WebhookCreated' },
      { type: 'NotificationsDropped', data: { cause: 'queue-full', count: 5 } },
    ])
    letGo()
    await stage.clock.advance(10)
    const all = stage.idsAt('quick')
    expect(stage.idsAt('slow')).toEqual([all[0], all[6], all[7]])
    expect(await typesOf(stage, 'quick')).toEqual(['WebhookCreated'])
  })

  it('is told once of what was lost, however often the log is read again', async () => {
    await using stage = await begun()
    await stage.webhook('a')
    stage.receive = () => silence
    for (let at = 1; at <= 8; at++) await stage.deployment(`d-${at}`)
    await stage.clock.advance(6_000)
    const before = await stage.history('a')
    expect(before.slice(1)).toMatchObject([{ data: { cause: 'queue-full', count: 5 } }])
    for (let restarts = 0; restarts < 3; restarts++) {
      await stage.end()
      await stage.start()
      await stage.clock.advance(6_000)
    }
    expect(await stage.history('a')).toEqual(before)
    stage.receive = () => ok
    await stage.clock.advance(60_000)
    const lost = (before[1]!.data as { readonly lastPosition: number }).lastPosition
    const taken = stage.letters
      .slice(-3)
      .map(({ body }) => (JSON.parse(body) as { readonly position: number }).position)
    expect(taken[0]).toBeLessThan(lost)
    expect(taken[1]).toBeGreaterThan(lost)
  })
})
