import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Topic, WebhookEvent } from '#contracts/webhook.ts'
import { isRefusal } from '#libs/decider.ts'
import { webhookDecider as decider, type Webhook, type WebhookRequest } from '#services/notify/decider.ts'

const webhookId = 'w'
const hears = { topics: ['deployment-failed' as const], eventTypes: [], environmentIds: null, projectIds: null }
const settings = { name: 'chat', url: 'https://chat.example.com/a', ...hears }
const secretOf = (version: number) => ({ secretId: 's', version })
const create: WebhookRequest = { type: 'CreateWebhook', data: { webhookId, ...settings, secret: secretOf(1) } }
const enable: WebhookRequest = { type: 'EnableWebhook', data: { webhookId } }
const disable: WebhookRequest = { type: 'DisableWebhook', data: { webhookId, reason: 'moved' } }
const stop: WebhookRequest = { type: 'StopWebhook', data: { webhookId, by: 'failures', reason: 'dead' } }
const remove: WebhookRequest = { type: 'DeleteWebhook', data: { webhookId } }
const change = (data: object): WebhookRequest => ({ type: 'ChangeWebhook', data: { webhookId, ...data } })
const rotate = (version: number, keepPrevious = true): WebhookRequest => ({
  type: 'RotateWebhookSecret',
  data: { webhookId, secret: secretOf(version), keepPrevious },
})
const drop: WebhookRequest = {
  type: 'TellDropped',
  data: { webhookId, cause: 'gave-up', count: 1, firstPosition: 4, lastPosition: 4, detail: 'x', at: 5 },
}

/** What comes of requests one after another: the types of the events, or the code of a refusal. */
function walk(requests: readonly WebhookRequest[]) {
  let state: Webhook = decider.initial
  const told = requests.map((request) => {
    const decided = decider.decide(request, state)
    if (isRefusal(decided)) return decided.refused
    state = decided.reduce((before, event) => decider.evolve(before, WebhookEvent.parse(event)), state)
    return decided.map(({ type }) => type).join()
  })
  return { told, state }
}

describe('a webhook', () => {
  const table: readonly (readonly [string, readonly WebhookRequest[], readonly string[]])[] = [
    ['is made once', [create, create], ['WebhookCreated', '']],
    ['that is not there is not changed', [change({ name: 'x' })], ['WEBHOOK_UNKNOWN']],
    ['that is not there is not enabled', [enable], ['WEBHOOK_UNKNOWN']],
    ['that is not there is not deleted', [remove], ['WEBHOOK_UNKNOWN']],
    ['is deleted, however often', [create, remove, remove], ['WebhookCreated', 'WebhookDeleted', '']],
    ['is not made again once deleted', [create, remove, create], ['WebhookCreated', 'WebhookDeleted', '']],
    [
      'that is deleted loses nothing any more',
      [create, remove, drop],
      ['WebhookCreated', 'WebhookDeleted', 'WEBHOOK_UNKNOWN'],
    ],
    ['is on already', [create, enable], ['WebhookCreated', '']],
    ['is off already', [create, disable, disable, stop], ['WebhookCreated', 'WebhookDisabled', '', '']],
    ['comes on again', [create, stop, enable], ['WebhookCreated', 'WebhookDisabled', 'WebhookEnabled']],
    ['is changed only by a change', [create, change({}), change({ name: 'chat' })], ['WebhookCreated', '', '']],
    ['hears of something', [{ ...create, data: { ...create.data, topics: [] } }], ['WEBHOOK_INVALID']],
    ['goes on to hear of something', [create, change({ topics: [] })], ['WebhookCreated', 'WEBHOOK_INVALID']],
    [
      'tells what is lost also while it is off',
      [create, disable, drop],
      ['WebhookCreated', 'WebhookDisabled', 'NotificationsDropped'],
    ],
  ]
  it.each(table)('%s', (_, requests, told) => expect(walk(requests).told).toEqual(told))

  it('keeps what a change leaves out, also while it is off', () => {
    const { state } = walk([create, disable, change({ url: 'https://b.example.com/', projectIds: ['shop'] })])
    expect(state.settings).toEqual({ ...settings, url: 'https://b.example.com/', projectIds: ['shop'] })
    expect(state.status).toBe('disabled')
    expect(walk([create, change({ projectIds: ['shop'] }), change({ projectIds: null })]).state.settings).toEqual(
      settings,
    )
  })

  it.each([
    [[rotate(2)], [2, 1]],
    [
      [rotate(2), rotate(3)],
      [3, 2],
    ],
    [[rotate(2), rotate(3, false)], [3]],
  ])('signs after %j with the secrets %j', (rotations, versions) => {
    const { state } = walk([create, ...rotations])
    expect(state.secrets.map(({ version }) => version)).toEqual(versions)
  })

  it('always signs and always hears of something, whatever is asked of it', () => {
    const request = fc.oneof(
      fc.constantFrom(create, enable, disable, stop, remove, drop),
      fc.record({ topics: fc.subarray([...Topic.options]), eventTypes: fc.subarray(['StepFailed']) }).map(change),
      fc.tuple(fc.integer({ min: 2, max: 9 }), fc.boolean()).map(([version, keep]) => rotate(version, keep)),
    )
    fc.assert(
      fc.property(fc.array(request, { maxLength: 20 }), (requests) => {
        const { status, settings: now, secrets } = walk(requests).state
        const isThere = status === 'enabled' || status === 'disabled'
        expect(now !== null).toBe(isThere)
        expect(secrets.length >= 1 && secrets.length <= 2).toBe(isThere)
        if (now !== null) expect(now.topics.length + now.eventTypes.length).toBeGreaterThan(0)
      }),
    )
  })
})
