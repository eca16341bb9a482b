import { describe, expect, it } from 'vitest'
import { Topic } from '#contracts/webhook.ts'
import { CreateWebhookBody, PatchWebhookBody } from '#contracts/webhookApi.ts'
import { webhookRow } from '#test/support/consoleWebhooks.ts'
import {
  bodyOf,
  changesOf,
  disabledTitle,
  draftOf,
  droppedWords,
  emptyDraft,
  isWhole,
  placeWords,
  topicWords,
} from '../../../services/console/app/webhooks.ts'

const row = webhookRow('w-1', 'chat')
const whole = {
  ...emptyDraft,
  name: ' chat ',
  url: ' https://hooks.example.com/a ',
  topics: ['deployment-ended'] as const,
}

describe('a webhook that is being edited', () => {
  it('is offered every topic that there is', () => {
    expect(Object.keys(topicWords).toSorted()).toEqual(Topic.options.toSorted())
  })
  it('is what the API takes', () => {
    const draft = { ...whole, eventTypes: 'StepFailed, StepFailed', environments: 'production,staging', projects: ' ' }
    expect(CreateWebhookBody.parse(bodyOf(draft))).toEqual({
      ...{ name: 'chat', url: 'https://hooks.example.com/a', topics: ['deployment-ended'], eventTypes: ['StepFailed'] },
      ...{ environmentIds: ['production', 'staging'], projectIds: null },
    })
  })
  it.each([
    ['with a topic', whole, true],
    ['with a type of event', { ...whole, topics: [], eventTypes: 'StepFailed' }, true],
    ['that hears of nothing', { ...whole, topics: [], eventTypes: ' , ' }, false],
    ['without an address', { ...whole, url: ' ' }, false],
    ['without a name', { ...whole, name: '' }, false],
  ])('is whole or not: %s', (_, draft, expected) => expect(isWhole(draft)).toBe(expected))
})

describe('a change of a webhook', () => {
  it('names nothing where nothing was changed', () => {
    const full = { ...row, eventTypes: ['StepFailed'], environmentIds: ['production'], projectIds: ['shop', 'batch'] }
    expect(changesOf(draftOf(full), full)).toEqual({})
  })
  it('names only what was changed, as the API takes it', () => {
    const before = { ...row, environmentIds: ['production'] }
    const changes = changesOf({ ...draftOf(before), name: 'talk', environments: '' }, before)
    expect(PatchWebhookBody.parse(changes)).toEqual({ name: 'talk', environmentIds: null })
  })
})

describe('what is told of a webhook', () => {
  const nameOf = (id: string) => id.toUpperCase()
  it('says of which places it hears', () => {
    expect(placeWords(row, nameOf)).toBe('All environments, all projects')
    expect(placeWords({ ...row, environmentIds: ['a', 'b'], projectIds: ['shop'] }, nameOf)).toBe(
      'Only A and B, only shop',
    )
  })
  it('says what is lost, and nothing where nothing is', () => {
    const lastDrop = { cause: 'gave-up', count: 1, detail: 'it answers 503', at: row.createdAt }
    expect(droppedWords(row)).toBe('')
    expect(droppedWords({ ...row, dropped: 1, lastDrop })).toBe('1 notification lost; the last: it answers 503')
  })
  it('says who disabled it', () => {
    const titles = (['person', 'receiver', 'failures'] as const).map((by) => disabledTitle({ by, reason: '', at: '' }))
    expect(new Set(titles).size).toBe(3)
    expect(titles[0]).toBe('Disabled by a person')
  })
})
