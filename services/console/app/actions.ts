import type { AskedDecision, FailureChoice } from '#contracts/decision.ts'
import type { PackageRow } from '#contracts/package.ts'
import type { DeploymentRow, MachineRow } from '#contracts/rows.ts'
import type { WebhookRow, WebhookTested } from '#contracts/webhookRows.ts'
import { api } from './server.ts'

const at = (machine: Pick<MachineRow, 'id'>) => `machines/${encodeURIComponent(machine.id)}`
const run = (deployment: Pick<DeploymentRow, 'id'>) => `deployments/${encodeURIComponent(deployment.id)}`
const because = (reason: string) => (reason === '' ? {} : { reason })

type Machine = Pick<MachineRow, 'id'>
type Deployment = Pick<DeploymentRow, 'id'>

/** What a person can do to a machine. A reason that is left out is recorded as not given. */
export const machineActions = {
  enable: (machine: Machine) => api.send('POST', `${at(machine)}/enable`, {}),
  disable: (machine: Machine, reason: string) => api.send('POST', `${at(machine)}/disable`, because(reason)),
  check: (machine: Machine) => api.send('POST', `${at(machine)}/check`, {}),
  remove: (machine: Machine, reason: string) => api.send('DELETE', at(machine), because(reason)),
  restore: (machine: Machine, reason: string) => api.send('POST', `${at(machine)}/restore`, because(reason)),
  letOut: (machine: Machine, reason: string) => api.send('POST', `${at(machine)}/release`, because(reason)),
  release: ({ id, environmentId }: Pick<MachineRow, 'id' | 'environmentId'>) =>
    api.send('POST', `environments/${encodeURIComponent(environmentId)}/guard/release`, { machines: [id] }),
}

/** What a person can do to a deployment. */
export const deploymentActions = {
  cancel: (deployment: Deployment, reason: string) => api.send('POST', `${run(deployment)}/cancel`, because(reason)),
  retry: (deployment: Deployment) => api.send<{ id?: string }>('POST', `${run(deployment)}/retry`, {}),
  redeploy: (deployment: Deployment) => api.send<{ id?: string }>('POST', `${run(deployment)}/redeploy`, {}),
  decide: (deployment: Deployment, decision: 'approve' | 'reject', comment: string) =>
    api.send('POST', `${run(deployment)}/decide`, { decision, comment }),
  choose: (deployment: Deployment, { stepId, machineId }: AskedDecision, decision: FailureChoice, comment: string) =>
    api.send('POST', `${run(deployment)}/decide`, { decision, comment, stepId, machineId }),
  /** Keeps a target out, whatever is evaluated later, or takes it in again. */
  setTarget: (deployment: Deployment, machineId: string, verb: 'exclude' | 'include', reason: string) =>
    api.send('POST', `${run(deployment)}/${verb}`, { machineId, ...because(reason) }),
}

const environment = (id: string) => `environments/${encodeURIComponent(id)}`

/** What a person can do about what policy decided in an environment. */
export const policyActions = {
  /** @param machines whose removals are let go; null: all that are held back there */
  letGo: (environmentId: string, machines: readonly string[] | null) =>
    api.send('POST', `${environment(environmentId)}/guard/release`, machines === null ? {} : { machines }),
  revert: (environmentId: string, decisionId: string, reason: string) =>
    api.send(
      'POST',
      `${environment(environmentId)}/decisions/${encodeURIComponent(decisionId)}/revert`,
      because(reason),
    ),
}

const project = (id: string) => `projects/${encodeURIComponent(id)}`
const version = ({ name, version: which }: Pick<PackageRow, 'name' | 'version'>) =>
  `packages/${encodeURIComponent(name)}/versions/${encodeURIComponent(which)}`

/** What a person can do to what is deployed. */
export const deliveryActions = {
  /** @param seen the version of the variables that the change was made from */
  setVariables: (projectId: string, variables: readonly object[], seen: number) =>
    api.replace(`${project(projectId)}/variables`, { variables }, seen),
  destroyVariable: (projectId: string, name: string) =>
    api.send('POST', `${project(projectId)}/variables/${encodeURIComponent(name)}/destroy`, {}),
  removePackage: (row: Pick<PackageRow, 'name' | 'version'>, reason: string) => {
    const query = reason === '' ? '' : `?${new URLSearchParams({ reason })}`
    return api.send('DELETE', version(row) + query)
  },
}

/** Longer than the receiver of a test may take to answer. */
const testMaxMs = 75_000
const webhook = ({ id }: Pick<WebhookRow, 'id'>) => `webhooks/${encodeURIComponent(id)}`

type Webhook = Pick<WebhookRow, 'id'>
/** What is shown once; null to a repeat of a request that was answered before. */
type Secret = { readonly secret: string | null }

/** What a person can do to a webhook. */
export const webhookActions = {
  create: (body: object) => api.send<Secret>('POST', 'webhooks', body),
  change: (row: Webhook, body: object) => api.send('PATCH', webhook(row), body),
  test: (row: Webhook) => api.send<WebhookTested>('POST', `${webhook(row)}/test`, {}, testMaxMs),
  enable: (row: Webhook) => api.send('POST', `${webhook(row)}/enable`, {}),
  disable: (row: Webhook, reason: string) => api.send('POST', `${webhook(row)}/disable`, because(reason)),
  rotate: (row: Webhook, keepPrevious: boolean) => api.send<Secret>('POST', `${webhook(row)}/rotate`, { keepPrevious }),
  remove: (row: Webhook) => api.send('DELETE', webhook(row)),
}
