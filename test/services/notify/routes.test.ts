import { describe, expect, it } from 'vitest'
import type { Answer } from '#contracts/command.ts'
import { signerOf, type WebhookCommand } from '#contracts/webhook.ts'
import type { Ask } from '#libs/ask.ts'
import { systemClock } from '#libs/systemClock.ts'
import { webhookRoutes } from '#services/notify/routes.ts'
import { as, testHttp } from '#test/support/http.ts'
import { MemoryVault } from './notifying.ts'

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE'
const url = 'https://hooks.example.com/a'
const wanted = { name: 'chat', url, topics: ['deployment-failed'] }

/** Routes by themselves, before a service that answers as it is told. */
async function routes(answer: (command: WebhookCommand) => Answer, hasVault = true) {
  const sent: WebhookCommand[] = []
  const vault = new MemoryVault()
  const ask: Ask = async (_, command) => {
    sent.push(command as WebhookCommand)
    return answer(command as WebhookCommand)
  }
  const options = { ask, clock: systemClock, vault: hasVault ? vault : undefined }
  const app = await testHttp((http) => void http.register(webhookRoutes(options)))
  const send = async (method: Method, path: string, payload?: object, who: 'reader' | 'writer' | 'admin' = 'admin') => {
    const reply = await app.inject({
      method,
      url: `/v1/webhooks${path}`,
      headers: as(who),
      ...(payload && { payload }),
    })
    return { status: reply.statusCode, body: reply.json() as Record<string, unknown> }
  }
  const secretIn = (at: number) => (sent[at]!.data as { readonly secret: { secretId: string; version: number } }).secret
  const kept = async (at: number) => vault.read(signerOf(sent[at]!.data.webhookId), secretIn(at))
  return { sent, send, kept }
}
const done = (result: object = {}): Answer => ({ accepted: true, position: 7, result: { webhookId: 'w', ...result } })
const taken = ({ data: { webhookId } }: WebhookCommand) => done({ webhookId, secretStored: true })

describe('a secret', () => {
  it('is shown once to who makes the webhook, and goes to the service as a version', async () => {
    const { sent, send, kept } = await routes(taken)
    const { status, body } = await send('POST', '', wanted)
    expect(status).toBe(201)
    expect(body).toEqual({
      webhookId: sent[0]!.data.webhookId,
      position: 7,
      secret: expect.stringMatching(/^whsec_/) as string,
    })
    expect(await kept(0)).toEqual({ value: body['secret'] })
    expect(JSON.stringify(sent)).not.toContain(String(body['secret']).slice(6))
    expect(sent[0]!.data).toMatchObject({ ...wanted, eventTypes: [], environmentIds: null, projectIds: null })
  })
  it('is shown once to who replaces it; the one before goes on to sign unless that is said', async () => {
    const { sent, send, kept } = await routes(taken)
    const { body } = await send('POST', '/w/rotate', {})
    expect(await kept(0)).toEqual({ value: body['secret'] })
    await send('POST', '/w/rotate', { keepPrevious: false })
    expect(sent.map(({ data }) => 'keepPrevious' in data && data.keepPrevious)).toEqual([true, false])
  })
  it('is taken back, and shown to nobody, when the request had been answered before', async () => {
    const { send, kept } = await routes(() => done({ secretStored: false }))
    expect((await send('POST', '', wanted)).body).toEqual({ webhookId: 'w', position: 7, secret: null })
    expect(await kept(0)).toBe('unreadable')
  })
  it('is taken back when the request is refused', async () => {
    const { send, kept } = await routes(() => ({ refused: 'WEBHOOK_ADDRESS_REFUSED', detail: 'because' }))
    const { status, body } = await send('POST', '', wanted)
    expect([status, body['code'], body['detail']]).toEqual([422, 'WEBHOOK_ADDRESS_REFUSED', 'because'])
    expect(await kept(0)).toBe('unreadable')
  })
  it('cannot be made where there is no vault', async () => {
    const { sent, send } = await routes(taken, false)
    expect(await send('POST', '', wanted)).toMatchObject({ status: 503 })
    expect(sent).toEqual([])
  })
})

describe('a webhook', () => {
  const webhookId = 'w'
  it.each([
    ['PATCH', '/w', { name: 'b' }, 'ChangeWebhook', { webhookId, name: 'b' }],
    ['PATCH', '/w', { projectIds: null }, 'ChangeWebhook', { webhookId, projectIds: null }],
    ['DELETE', '/w', undefined, 'DeleteWebhook', { webhookId }],
    ['POST', '/w/enable', undefined, 'EnableWebhook', { webhookId }],
    ['POST', '/w/disable', { reason: 'moved' }, 'DisableWebhook', { webhookId, reason: 'moved' }],
  ] as const)('%s %s %o is the command %s, for administrators', async (method, path, payload, type, data) => {
    const { sent, send } = await routes(() => done())
    expect(await send(method, path, payload)).toEqual({ status: 200, body: { webhookId: 'w', position: 7 } })
    expect(sent).toEqual([{ type, data }])
    for (const who of ['reader', 'writer'] as const) expect((await send(method, path, payload, who)).status).toBe(403)
    expect(sent).toHaveLength(1)
  })
  it('is tested by administrators, and its deliveries are for all to see', async () => {
    const tested = { delivered: false, status: 500, detail: 'it answers 500' }
    const told = { waiting: 1, nextAttemptAt: null, items: [] }
    const { send } = await routes(({ type }) => done(type === 'TestWebhook' ? tested : told))
    expect(await send('POST', '/w/test')).toEqual({ status: 200, body: tested })
    expect((await send('POST', '/w/test', undefined, 'writer')).status).toBe(403)
    expect(await send('GET', '/w/deliveries', undefined, 'reader')).toEqual({ status: 200, body: told })
  })
  it.each([
    ['an address that is none of the web', { ...wanted, url: 'ftp://a' }],
    ['a password in the address', { ...wanted, url: 'https://user:secret@hooks.example.com/' }],
    ['an address without an end', { ...wanted, url: `https://a/${'x'.repeat(3_000)}` }],
    ['a topic that there is not', { ...wanted, topics: ['weather'] }],
    ['no environment at all', { ...wanted, environmentIds: [] }],
    ['a secret of its own', { ...wanted, secret: 'mine' }],
    ['no name', { url }],
  ])('is not made with %s', async (_, payload) => {
    const { sent, send } = await routes(taken)
    expect(await send('POST', '', payload)).toMatchObject({ status: 400, body: { code: 'REQUEST_INVALID' } })
    expect(sent).toEqual([])
  })
})
