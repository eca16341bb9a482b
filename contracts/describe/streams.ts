import type { z } from 'zod'
import type { ServiceName } from '../command.ts'
import { DeploymentEvent } from '../deployment.ts'
import { EnrollmentEvent } from '../enrollment.ts'
import { EnvironmentEvent } from '../environment.ts'
import { HealthEvent, ObserverEvent } from '../health.ts'
import { MachineEvent } from '../machine.ts'
import { PackageEvent } from '../package.ts'
import { PolicyEvent } from '../policy.ts'
import { ProjectEvent, ReleaseEvent } from '../project.ts'
import * as subjects from '../subjects.ts'
import { TemplateEvent } from '../template.ts'
import { TaskLogEvent } from '../taskLog.ts'
import { TokenEvent } from '../token.ts'
import { WebhookEvent } from '../webhook.ts'
import type { MessageUnion } from './messages.ts'

/** One kind of stream: who alone writes to it, what it is about and which events it holds. */
export interface StreamKind {
  readonly service: ServiceName
  /** A stream of the kind, with its ids in braces. */
  readonly stream: string
  readonly about: string
  readonly events: MessageUnion
}

/** Every kind of stream there is. What is listed here is documented, has examples and is held to what was released. */
export const streamKinds = [
  {
    service: 'registry',
    stream: subjects.environmentStream('{environmentId}'),
    about: 'An environment: its name and the policy that holds in it.',
    events: EnvironmentEvent,
  },
  {
    service: 'registry',
    stream: subjects.machineStream('{machineId}'),
    about: 'A machine: that it exists, what it is, and why it was removed or came back.',
    events: MachineEvent,
  },
  {
    service: 'registry',
    stream: subjects.enrollmentStream('{enrollmentId}'),
    about: 'A join token, by which machines enter an environment.',
    events: EnrollmentEvent,
  },
  {
    service: 'registry',
    stream: subjects.tokenStream('{tokenId}'),
    about: 'An API token and what it allows.',
    events: TokenEvent,
  },
  {
    service: 'health',
    stream: subjects.healthStream('{machineId}'),
    about: 'How well a machine is. Only changes are told; heartbeats are not events.',
    events: HealthEvent,
  },
  {
    service: 'health',
    stream: subjects.observerStream('{observerId}'),
    about: 'Time in which Remuda itself was not observing, so that no silence counts.',
    events: ObserverEvent,
  },
  {
    service: 'policy',
    stream: subjects.policyStream('{environmentId}'),
    about: 'The verdicts of an environment: who is removed or kept, and who gets which release by itself.',
    events: PolicyEvent,
  },
  {
    service: 'deployment',
    stream: subjects.projectStream('{projectId}'),
    about: 'A project: its steps, its variables and which release is pinned.',
    events: ProjectEvent,
  },
  {
    service: 'deployment',
    stream: subjects.releaseStream('{projectId}', '{version}'),
    about: 'A release: the snapshot of a project that is deployed under one version.',
    events: ReleaseEvent,
  },
  {
    service: 'deployment',
    stream: subjects.packageStream('{name}'),
    about: 'A package: its versions, and the digest of the bytes of each.',
    events: PackageEvent,
  },
  {
    service: 'deployment',
    stream: subjects.templateStream('{name}'),
    about: 'A step template: its versions, each of which says the same for ever.',
    events: TemplateEvent,
  },
  {
    service: 'deployment',
    stream: subjects.deploymentStream('{deploymentId}'),
    about: 'A deployment, from its creation to the outcome of every target it ever had.',
    events: DeploymentEvent,
  },
  {
    service: 'deployment',
    stream: subjects.taskLogStream('{taskId}'),
    about: 'What one attempt of a task printed: event n of the stream is chunk n.',
    events: TaskLogEvent,
  },
  {
    service: 'notify',
    stream: subjects.webhookStream('{webhookId}'),
    about: 'A webhook: what its receiver hears of, and what it will not get.',
    events: WebhookEvent,
  },
] as const satisfies readonly StreamKind[]

export type EventType = z.infer<(typeof streamKinds)[number]['events']>['type']
