import { serviceNames, type ServiceName } from '#contracts/command.ts'
import type { DeploymentCommand } from '#contracts/deployment.ts'
import type { EnrollMachine, EnrollmentCommand } from '#contracts/enrollment.ts'
import type { EnvironmentCommand } from '#contracts/environment.ts'
import type { GatewayCommand } from '#contracts/gateway.ts'
import type { HealthCommand } from '#contracts/health.ts'
import type { MachineCommand } from '#contracts/machine.ts'
import type { PackageCommand } from '#contracts/package.ts'
import type { PolicyCommand } from '#contracts/policy.ts'
import type { ProjectCommand, ReleaseCommand } from '#contracts/project.ts'
import type { TemplateCommand } from '#contracts/template.ts'
import type { TokenCommand } from '#contracts/token.ts'
import type { WebhookCommand } from '#contracts/webhook.ts'

/** What a user of NATS may do, and nothing else. */
export interface Permissions {
  readonly publish: readonly string[]
  readonly subscribe: readonly string[]
}

/** A process that connects to NATS, with the services that it runs. */
export interface BusUser {
  readonly name: string
  readonly services: readonly ServiceName[]
}

interface Asked {
  readonly registry: (MachineCommand | EnvironmentCommand | EnrollmentCommand | EnrollMachine | TokenCommand)['type']
  readonly health: HealthCommand['type']
  readonly policy: PolicyCommand['type']
  readonly deployment: (DeploymentCommand | ProjectCommand | ReleaseCommand | PackageCommand | TemplateCommand)['type']
  readonly gateway: GatewayCommand['type']
  readonly notify: WebhookCommand['type']
}
type Asks = { readonly [Service in keyof Asked]?: readonly Asked[Service][] }

/** Who asks what of whom. The front door for people and systems is where query runs, that for agents is the gateway. */
export const asks: Readonly<Record<ServiceName, Asks>> = {
  relay: {},
  registry: {},
  health: { gateway: ['PingMachine'] },
  policy: {
    registry: ['DeregisterMachine', 'RestoreMachine'],
    health: ['ConfirmUnavailable'],
    policy: ['CarryOutRemoval'],
    deployment: ['CreateDeployment'],
  },
  deployment: {
    registry: ['DeregisterMachine'],
    policy: ['ListGroup'],
    deployment: ['CreateDeployment', 'CancelDeployment'],
  },
  gateway: {
    registry: ['EnrollMachine', 'ReregisterMachine', 'QuarantineMachine'],
    deployment: ['GetWorkOrder', 'RecordTaskStarted', 'AppendTaskLog', 'RecordTaskResult'],
  },
  query: {
    registry: [
      ...(['CreateEnvironment', 'RenameEnvironment', 'ChangeEnvironmentPolicy'] as const),
      ...(['RegisterMachine', 'ChangeMachine', 'EnableMachine', 'DisableMachine'] as const),
      ...(['DeregisterMachine', 'RestoreMachine', 'CreateEnrollment', 'RevokeEnrollment'] as const),
      ...(['SetMachineProbe', 'ReleaseMachine'] as const),
      ...(['CreateToken', 'RevokeToken'] as const),
    ],
    health: ['CheckMachine'],
    policy: [
      ...(['ReleaseWithheldRemovals', 'CloseReleaseCircuit', 'RevertDecision', 'ListProviders'] as const),
      ...(['BacktestPolicy', 'WhatIf', 'ExplainRemoval'] as const),
    ],
    deployment: [
      ...(['CreateProject', 'RenameProject', 'ChangeProcess', 'ChangeVariables', 'SetReleaseOverride'] as const),
      'DestroyVariable',
      ...(['CreateRelease', 'CreateDeployment', 'CancelDeployment'] as const),
      ...(['AddPackage', 'RemovePackage', 'PrunePackage'] as const),
      ...(['SaveTemplate', 'DeleteTemplate'] as const),
      ...(['DecideDeployment', 'RetryDeployment', 'RedeployDeployment'] as const),
      ...(['ExcludeTarget', 'IncludeTarget'] as const),
    ],
    notify: [
      ...(['CreateWebhook', 'ChangeWebhook', 'RotateWebhookSecret', 'EnableWebhook'] as const),
      ...(['DisableWebhook', 'DeleteWebhook', 'TestWebhook', 'ListDeliveries'] as const),
    ],
  },
  notify: {},
}

/** Of these, each process answers for its own part: a partition, or itself. The name of the part ends the subject. */
const answeringByPart: readonly ServiceName[] = ['health', 'gateway']

interface Own extends Partial<Permissions> {
  /** Whether its processes share their work out by a roster in the key-value bucket of leases. */
  readonly leases?: boolean
}

/** What is a service's own, beside the commands that it answers. */
const own: Readonly<Record<ServiceName, Own>> = {
  // It may tell of everything that happened, so it may as well make the bucket anew when NATS has lost all it kept.
  relay: { leases: true, publish: ['remuda.events.>', '$JS.API.STREAM.CREATE.KV_remuda-leases'] },
  registry: { leases: true },
  health: { leases: true, subscribe: ['remuda.signals.heartbeat.*', 'remuda.signals.check.*'] },
  policy: { leases: true, subscribe: ['remuda.parked.carry-out_v1', 'remuda.parked.undo_v1'] },
  deployment: {
    leases: true,
    subscribe: [
      ...['remuda.signals.task-lease', 'remuda.parked.deregister-machines_v1'],
      'remuda.parked.child-deployments_v1',
    ],
  },
  gateway: {
    publish: [
      ...['remuda.signals.heartbeat.*', 'remuda.signals.check.*'],
      ...['remuda.signals.task-lease', 'remuda.signals.session'],
    ],
    subscribe: ['remuda.signals.session'],
  },
  query: { publish: ['remuda.parked.*'], subscribe: ['remuda.in.>'] },
  notify: { leases: true },
}

/** Every process reads all events, and the rosters: neither holds a secret. */
const everybody: Permissions = {
  publish: [
    '$JS.API.INFO',
    '$JS.API.STREAM.INFO.KV_remuda-leases',
    '$JS.API.DIRECT.GET.KV_remuda-leases.$KV.remuda-leases.*',
  ],
  subscribe: [
    'remuda.events.>',
    ...['PING', 'INFO', 'STATS'].flatMap((verb) => [`$SRV.${verb}`, `$SRV.${verb}.remuda`, `$SRV.${verb}.remuda.*`]),
  ],
}

/** One process for each service. */
export const usersByService: readonly BusUser[] = serviceNames.map((name) => ({ name, services: [name] }))

/** What answers to this user are sent to begins so. `REMUDA_NATS_INBOX_PREFIX` says it to the process. */
export const inboxPrefixOf = (name: string): string => `_INBOX_${name.replaceAll(/\W/g, '_')}`
/** Operators who look at NATS with its own tools. They hear everything that happens and can change nothing. */
export const toolsName = 'tools'
/** Other systems have their inboxes side by side under one name, so that who answers them need not know them. */
const systemsInbox = '_INBOX_systems'
export const systemInboxPrefixOf = (name: string): string => `${systemsInbox}.${name}`

/**
 * What a process may do on NATS: publish what its services publish, ask what they ask, answer into the inboxes of those
 * who ask them, and hear what is meant for them.
 * @param users all processes that connect; it depends on who asks whether an answer to them is allowed
 */
export function permissionsOf({ name, services }: BusUser, users: readonly BusUser[]): Permissions {
  const asking = users.filter((other) => other.services.some((service) => services.some((it) => it in asks[service])))
  return {
    publish: [
      ...new Set([
        ...services.flatMap((service) => own[service].publish ?? []),
        ...services.flatMap((service) => commandsAskedBy(service)),
        ...asking.map((other) => `${inboxPrefixOf(other.name)}.>`),
        ...(services.includes('policy') || services.includes('deployment') ? parkedInboxes(users) : []),
        ...(services.includes('query') ? [`${systemsInbox}.>`] : []),
        ...sharing(services).flatMap((service) => [`$KV.remuda-leases.${service}`, `remuda.leases.${service}`]),
        ...everybody.publish,
        `${inboxPrefixOf(toolsName)}.>`,
      ]),
    ],
    subscribe: [
      `${inboxPrefixOf(name)}.>`,
      ...services.flatMap((service) => answeredBy(service)),
      ...new Set(services.flatMap((service) => own[service].subscribe ?? [])),
      ...sharing(services).map((service) => `remuda.leases.${service}`),
      ...everybody.subscribe,
    ],
  }
}

export const toolsPermissions: Permissions = {
  publish: ['$SRV.>'],
  subscribe: [`${inboxPrefixOf(toolsName)}.>`, 'remuda.events.>'],
}

/** Another system makes requests, by a token of its own or by its name, and hears of all events. */
export const systemPermissions = (name: string): Permissions => ({
  publish: ['remuda.in.*', `remuda.in.as.${name}.*`],
  subscribe: [`${systemInboxPrefixOf(name)}.>`, 'remuda.events.>'],
})

const sharing = (services: readonly ServiceName[]) => services.filter((service) => own[service].leases === true)

/** Whoever retries what a reactor has set aside waits for its answer. */
const parkedInboxes = (users: readonly BusUser[]) =>
  users.filter(({ services }) => services.includes('query')).map(({ name }) => `${inboxPrefixOf(name)}.>`)

const part = (service: string) => (answeringByPart.includes(service as ServiceName) ? '.*' : '')

const commandsAskedBy = (asker: ServiceName): readonly string[] =>
  Object.entries(asks[asker]).flatMap(([service, types]) =>
    types.map((type) => `remuda.commands.${service}.${type}${part(service)}`),
  )

/** Services that answer nobody have no commands to subscribe to. */
function answeredBy(service: ServiceName): readonly string[] {
  const isAsked = Object.values(asks).some((asked) => service in asked)
  return isAsked ? [`remuda.commands.${service}.*${part(service)}`] : []
}
