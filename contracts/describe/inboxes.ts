import type { z } from 'zod'
import type { ServiceName } from '../command.ts'
import { DeploymentCommand } from '../deployment.ts'
import { EnrollMachine, EnrollmentCommand } from '../enrollment.ts'
import { EnvironmentCommand } from '../environment.ts'
import { GatewayCommand } from '../gateway.ts'
import { HealthCommand } from '../health.ts'
import { MachineCommand } from '../machine.ts'
import { PackageCommand } from '../package.ts'
import { PolicyCommand } from '../policy.ts'
import { ProjectCommand, ReleaseCommand } from '../project.ts'
import { TemplateCommand } from '../template.ts'
import { TokenCommand } from '../token.ts'
import { WebhookCommand } from '../webhook.ts'
import type { MessageUnion } from './messages.ts'

/** What a service takes from others over the bus. */
export interface Inbox {
  readonly service: ServiceName
  readonly about: string
  /** What the subject ends with, where not every process of the service can answer. */
  readonly to?: { readonly name: string; readonly description: string }
  readonly commands: readonly MessageUnion[]
}

/** Every inbox there is. What a service decides for itself alone, such as a gap in observation, comes through none. */
export const inboxes = [
  {
    service: 'registry',
    about: 'Who exists: environments, machines, join tokens and API tokens.',
    commands: [EnvironmentCommand, MachineCommand, EnrollmentCommand, { options: [EnrollMachine] }, TokenCommand],
  },
  {
    service: 'health',
    about: 'Who is well.',
    to: { name: 'partition', description: 'The part of the machines that this one belongs to, by a hash of its id.' },
    commands: [HealthCommand],
  },
  {
    service: 'policy',
    about: 'Who is removed or withheld, and who gets which release by itself.',
    commands: [PolicyCommand],
  },
  {
    service: 'deployment',
    about: 'What runs where: projects, releases, packages, step templates and deployments.',
    commands: [ProjectCommand, ReleaseCommand, PackageCommand, TemplateCommand, DeploymentCommand],
  },
  {
    service: 'gateway',
    about: 'The sockets of the agents. Nothing is recorded.',
    to: { name: 'gatewayId', description: 'The gateway that is asked; dots in its name are written as underscores.' },
    commands: [GatewayCommand],
  },
  {
    service: 'notify',
    about: 'Who is told over HTTP of what happens.',
    commands: [WebhookCommand],
  },
] as const satisfies readonly Inbox[]

type Requests = (typeof inboxes)[number]['commands'][number]['options'][number]
export type CommandType = z.infer<Requests>['type']
/** What each command says, before it is parsed. */
export type CommandData = { readonly [Type in CommandType]: Extract<z.input<Requests>, { type: Type }>['data'] }
