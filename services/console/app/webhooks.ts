import type { Topic } from '#contracts/webhook.ts'
import type { WebhookRow } from '#contracts/webhookRows.ts'
import { count, listed } from './format.ts'
import { listOf } from './variables.ts'

/** What each topic tells of, in the order in which they are offered. */
export const topicWords: Readonly<Record<Topic, string>> = {
  'deployment-failed': 'A deployment failed',
  'deployment-ended': 'A deployment ended, well or not',
  'deployment-waits': 'A deployment waits for a person',
  'incident-opened': 'Many machines fail at once',
  'incident-closed': 'Such an incident is over',
  'removal-withheld': 'A removal is held back',
  'machine-removed': 'A machine was removed',
  'machine-quarantined': 'A machine was put into quarantine',
  'release-circuit-opened': 'A release is no longer deployed by itself',
}

/** A webhook as it is being edited; lists are texts with commas, and an empty one of places means all. */
export interface Draft {
  readonly name: string
  readonly url: string
  readonly topics: readonly Topic[]
  readonly eventTypes: string
  readonly environments: string
  readonly projects: string
}

export const emptyDraft: Draft = { name: '', url: '', topics: [], eventTypes: '', environments: '', projects: '' }

export const draftOf = (row: WebhookRow): Draft => ({
  ...{ name: row.name, url: row.url, topics: row.topics, eventTypes: row.eventTypes.join(', ') },
  ...{ environments: (row.environmentIds ?? []).join(', '), projects: (row.projectIds ?? []).join(', ') },
})

/** Whether it has all that a webhook needs: one that hears of nothing is refused. */
export const isWhole = ({ name, url, topics, eventTypes }: Draft): boolean =>
  name.trim() !== '' && url.trim() !== '' && topics.length + listOf(eventTypes).length > 0

const someOf = (text: string) => (listOf(text).length === 0 ? null : listOf(text))

/** As the API takes it. */
export const bodyOf = ({ name, url, topics, eventTypes, environments, projects }: Draft): object => ({
  ...{ name: name.trim(), url: url.trim(), topics, eventTypes: listOf(eventTypes) },
  ...{ environmentIds: someOf(environments), projectIds: someOf(projects) },
})

/** Only what differs: what somebody else has changed meanwhile stays as they want it. */
export function changesOf(draft: Draft, before: WebhookRow): object {
  const was: Readonly<Record<string, unknown>> = { ...bodyOf(draftOf(before)) }
  const changed = Object.entries(bodyOf(draft)).filter(
    ([field, value]) => JSON.stringify(value) !== JSON.stringify(was[field]),
  )
  return Object.fromEntries(changed)
}

const disabledBy = {
  person: 'Disabled by a person',
  receiver: 'Disabled: its receiver is gone for good',
  failures: 'Disabled after too many failures in a row',
} as const
export const disabledTitle = ({ by }: NonNullable<WebhookRow['disabled']>): string => disabledBy[by]

/** Of where it hears: `all environments, of the project shop`. @param nameOf finds the name of an environment */
export function placeWords({ environmentIds, projectIds }: WebhookRow, nameOf: (id: string) => string): string {
  const environments = environmentIds === null ? 'All environments' : `Only ${listed(environmentIds.map(nameOf))}`
  return `${environments}, ${projectIds === null ? 'all projects' : `only ${listed(projectIds)}`}`
}

/** What its receiver will never get, and why the last of it; empty where nothing is lost. */
export const droppedWords = ({ dropped, lastDrop }: WebhookRow): string =>
  dropped === 0
    ? ''
    : `${count(dropped, 'notification')} lost${lastDrop === null ? '' : `; the last: ${lastDrop.detail}`}`
