import { describe, expect, it } from 'vitest'
import type { Message, Recorded } from '#contracts/message.ts'
import type { Topic } from '#contracts/webhook.ts'
import { Topic as TopicSchema } from '#contracts/webhook.ts'
import { Notices } from '#services/notify/reactor.ts'
import { created, ended } from './notifying.ts'

const machine = { machineId: 'm-1', name: 'web-1', environmentId: 'production', roles: [] }
const removed = (index: number, cause: object): Message => ({
  type: 'MachineDeregistered',
  data: {
    ...machine,
    machineId: `m-${index}`,
    cause: { kind: 'policy', reason: 'silent', deploymentId: null, ...cause },
  },
})
const withheld = (index: number, incidentId?: string): Message => ({
  type: 'RemovalWithheld',
  data: {
    environmentId: 'production',
    machineId: `m-${index}`,
    unavailable: 9,
    registered: 10,
    clearsWhen: 'x',
    incidentId,
  },
})
const incident = { environmentId: 'production', incidentId: 'i-1', domain: null, at: 1 }
const asked = (machineId: string): Message => ({
  type: 'DecisionRequested',
  data: { deploymentId: 'd-1', stepId: 's', machineId, reason: 'exit 1', options: [], deadlineAt: 1 },
})
const decided = (machineId: string): Message => ({
  type: 'DecisionMade',
  data: { deploymentId: 'd-1', stepId: 's', machineId, decision: 'retry', comment: '', decidedAt: 1 },
})
const many = <Item>(count: number, make: (index: number) => Item) => Array.from({ length: count }, (_, at) => make(at))

let position = 0
const stored = (fact: Message): Recorded => {
  position += 1
  const data = fact.data as { deploymentId?: string; machineId?: string; webhookId?: string }
  const policy = /Removal|Mass|Circuit/.test(fact.type)
  const stream = data.webhookId
    ? `webhook-${data.webhookId}`
    : policy
      ? 'policy-production'
      : data.deploymentId
        ? `deployment-${data.deploymentId}`
        : `machine-${data.machineId}`
  const meta = {
    id: `e-${position}`,
    stream,
    version: 1,
    position,
    at: 0,
    actor: 'x',
    commandId: 'c',
    correlationId: 'c',
  }
  return { ...fact, meta: { ...meta, causationId: null } }
}

interface Hears {
  readonly topics?: readonly Topic[]
  readonly eventTypes?: readonly string[]
  readonly environmentIds?: readonly string[] | null
  readonly projectIds?: readonly string[] | null
}
const webhook = (hears: Hears, webhookId = 'w'): Message => ({
  type: 'WebhookCreated',
  data: {
    ...{ webhookId, name: 'w', url: 'https://a/', secret: { secretId: 's', version: 1 } },
    ...{ topics: [], eventTypes: [], environmentIds: null, projectIds: null, ...hears },
  },
})

/** What a webhook gets of these facts. */
function heard(hears: Hears, facts: readonly Message[]) {
  const notices = new Notices()
  return [webhook(hears), ...facts]
    .flatMap((fact) => notices.take(stored(fact)))
    .map(({ notification }) => notification)
}
const topicsOf = (facts: readonly Message[]) =>
  heard({ topics: TopicSchema.options }, facts).map(({ data }) => data.topics.join('+'))

describe('what is told', () => {
  const table: readonly (readonly [string, readonly Message[], readonly string[]])[] = [
    ['a success', [created('d-1'), ended('d-1', 'DeploymentSucceeded')], ['deployment-ended']],
    ['a failure', [created('d-1'), ended('d-1', 'DeploymentFailed')], ['deployment-ended+deployment-failed']],
    ['a cancelled one', [created('d-1'), ended('d-1', 'DeploymentCancelled')], ['deployment-ended']],
    ['one that policy made', [created('d-1', 'automatic'), ended('d-1', 'DeploymentFailed')], []],
    [
      'an approval',
      [created('d-1'), { type: 'ApprovalRequested', data: { deploymentId: 'd-1', stepId: 's', message: 'sure?' } }],
      ['deployment-waits'],
    ],
    ['five hundred targets that fail', [created('d-1'), ...many(500, (at) => asked(`m-${at}`))], ['deployment-waits']],
    [
      'a question after the others were answered',
      [created('d-1'), asked('m-1'), asked('m-2'), decided('m-1'), decided('m-2'), asked('m-3')],
      ['deployment-waits', 'deployment-waits'],
    ],
    [
      'five hundred machines that fall silent together, and come back',
      [
        { type: 'MassFailureDetected', data: { ...incident, machineIds: [], unavailable: 500, registered: 600 } },
        ...many(500, (at) => withheld(at, 'i-1')),
        { type: 'MassFailureCleared', data: { ...incident, by: 'recovery' } },
      ],
      ['incident-opened', 'removal-withheld', 'incident-closed'],
    ],
    ['removals held before there were incidents', many(9, (at) => withheld(at)), ['removal-withheld']],
    [
      'five hundred removed by one decision',
      many(500, (at) => removed(at, { decisionId: 'p-1' })),
      ['machine-removed'],
    ],
    [
      'two that persons removed',
      [1, 2].map((at) => removed(at, { kind: 'person', decisionId: null })),
      ['machine-removed', 'machine-removed'],
    ],
    [
      'a quarantine',
      [{ type: 'MachineQuarantined', data: { machineId: 'm-1', detail: 'x' } }],
      ['machine-quarantined'],
    ],
    [
      'a release that is given up',
      [
        {
          type: 'ReleaseCircuitOpened',
          data: { environmentId: 'production', projectId: 'shop', version: '1', machineIds: [] },
        },
      ],
      ['release-circuit-opened'],
    ],
    ['what nobody has a topic for', [{ type: 'MachineEnabled', data: { machineId: 'm-1' } }], []],
  ]
  it.each(table)('of %s', (_, facts, topics) => expect(topicsOf(facts)).toEqual(topics))

  it('is every event of a type that was asked for, also where one topic tells of all', () => {
    const facts = many(3, (at) => withheld(at, 'i-1'))
    const got = heard({ topics: ['removal-withheld'], eventTypes: ['RemovalWithheld'] }, facts)
    expect(got.map(({ data }) => data.topics)).toEqual([['removal-withheld'], [], []])
  })

  it('is nothing that webhooks do themselves', () => {
    expect(heard({ eventTypes: ['WebhookCreated'] }, [webhook({}, 'other')])).toEqual([])
  })
})

describe('whom it is told', () => {
  const facts = [created('d-1'), ended('d-1', 'DeploymentFailed')]
  const table: readonly (readonly [string, Hears, number])[] = [
    ['the environment of the deployment', { environmentIds: ['production'] }, 1],
    ['another environment', { environmentIds: ['staging'] }, 0],
    ['its project', { projectIds: ['shop'] }, 1],
    ['another project', { projectIds: ['till'] }, 0],
    ['its project in another environment', { projectIds: ['shop'], environmentIds: ['staging'] }, 0],
  ]
  it.each(table)('who names %s', (_, hears, count) => {
    expect(heard({ topics: ['deployment-failed'], ...hears }, facts)).toHaveLength(count)
  })
  it('not of what belongs to no project, who names projects', () => {
    expect(heard({ topics: ['removal-withheld'], projectIds: ['shop'] }, [withheld(1)])).toEqual([])
  })
  it('by the environment that a machine is in, where the event does not say it', () => {
    const quarantined = { type: 'MachineQuarantined', data: { machineId: 'm-1', detail: 'x' } }
    const moved = { type: 'MachineChanged', data: { ...machine, environmentId: 'staging' } }
    const hears = { topics: ['machine-quarantined'], environmentIds: ['staging'] } as const
    expect(heard(hears, [{ type: 'MachineRegistered', data: machine }, quarantined])).toEqual([])
    expect(heard(hears, [{ type: 'MachineRegistered', data: machine }, moved, quarantined])).toHaveLength(1)
  })
})

describe('a notification', () => {
  it('is a CloudEvent with a sentence that a person understands', () => {
    const [got] = heard({ topics: ['deployment-failed'] }, [created('d-1'), ended('d-1', 'DeploymentFailed', 3)])
    expect(got).toMatchObject({
      ...{ specversion: '1.0', source: '/remuda/deployment', subject: 'd-1', type: 'DeploymentFailed' },
      data: {
        summary: 'The deployment of shop 1.4.0 to production failed: a step failed (3 failed).',
        ...{ environmentId: 'production', projectId: 'shop', topics: ['deployment-failed'] },
      },
    })
    expect(got!.id).toBe(`e-${got!.position}`)
  })
  it('has its long lists cut, and says how long they were', () => {
    const [got] = heard({ topics: ['deployment-failed'] }, [created('d-1'), ended('d-1', 'DeploymentFailed', 10_000)])
    expect(got!.data.event['outcomes']).toHaveLength(50)
    expect(got!.data.event['outcomesTotal']).toBe(10_000)
    expect(got!.data.summary).toContain('10000 failed')
  })
  it('is never larger than it may be', () => {
    const text = 'x'.repeat(900)
    const data = { deploymentId: 'd-1', stepId: 's', list: many(50, () => ({ text, others: many(50, () => text) })) }
    const [got] = heard({ eventTypes: ['StepStarted'] }, [created('d-1'), { type: 'StepStarted', data }])
    expect(Buffer.byteLength(JSON.stringify(got))).toBeLessThan(65_536)
    expect(got!.data.event).toEqual({ deploymentId: 'd-1', stepId: 's' })
  })
})
