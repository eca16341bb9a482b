import type { DeploymentState, StepRow, TargetRow, TaskRow } from '#contracts/rows.ts'
import type { DeliveryRow, WebhookRow } from '#contracts/webhookRows.ts'
import type { MachineStatus } from '../filter.ts'
import type { IconName } from './Icon.svelte'

/** How a state looks: a shape, a class of colour and a word. */
export interface Look {
  readonly icon: IconName
  readonly tone: 'good' | 'warn' | 'worse' | 'bad' | 'muted' | 'accent'
  readonly word: string
  readonly turning?: true
}

export const machineLooks: Readonly<Record<MachineStatus, Look>> = {
  healthy: { icon: 'healthy', tone: 'good', word: 'Healthy' },
  degraded: { icon: 'degraded', tone: 'warn', word: 'Degraded' },
  unhealthy: { icon: 'unhealthy', tone: 'worse', word: 'Unhealthy' },
  unavailable: { icon: 'unavailable', tone: 'bad', word: 'Unavailable' },
  lost: { icon: 'lost', tone: 'bad', word: 'Lost' },
  quarantined: { icon: 'lock', tone: 'worse', word: 'Quarantine' },
  unknown: { icon: 'unknown', tone: 'muted', word: 'Unknown' },
  disabled: { icon: 'disabled', tone: 'muted', word: 'Disabled' },
}

const succeeded: Look = { icon: 'healthy', tone: 'good', word: 'Succeeded' }
const failed: Look = { icon: 'unavailable', tone: 'bad', word: 'Failed' }
const running: Look = { icon: 'running', tone: 'accent', word: 'Running', turning: true }
const pending: Look = { icon: 'pending', tone: 'muted', word: 'Pending' }
const skipped: Look = { icon: 'skipped', tone: 'muted', word: 'Skipped' }
const cancelled: Look = { icon: 'skipped', tone: 'muted', word: 'Cancelled' }
const lost: Look = { icon: 'lost', tone: 'bad', word: 'Lost' }

export const deploymentLooks: Readonly<Record<DeploymentState, Look>> = {
  queued: { icon: 'clock', tone: 'muted', word: 'Queued' },
  running,
  waiting: { icon: 'waiting', tone: 'warn', word: 'Waiting' },
  succeeded,
  failed,
  cancelled,
}

export const stepLooks: Readonly<Record<StepRow['state'], Look>> = {
  pending,
  running,
  succeeded,
  failed,
  skipped,
  cancelled,
}

export const taskLooks: Readonly<Record<TaskRow['state'] | 'pending' | 'none', Look>> = {
  dispatched: { icon: 'clock', tone: 'accent', word: 'Handed out' },
  running,
  succeeded,
  failed,
  lost,
  pending,
  none: { icon: 'dot', tone: 'muted', word: 'Nothing to do' },
}

export const outcomeLooks: Readonly<Record<TargetRow['outcome'], Look>> = {
  included: { icon: 'pending', tone: 'accent', word: 'Included' },
  succeeded,
  failed,
  lost,
  excluded: { icon: 'skipped', tone: 'warn', word: 'Excluded' },
  replaced: { icon: 'restore', tone: 'muted', word: 'Replaced' },
  cancelled,
  untouched: { icon: 'pending', tone: 'muted', word: 'Untouched' },
}

export const webhookLooks: Readonly<Record<WebhookRow['state'], Look>> = {
  enabled: { icon: 'healthy', tone: 'good', word: 'Enabled' },
  disabled: { icon: 'disabled', tone: 'warn', word: 'Disabled' },
}

export const deliveryLooks: Readonly<Record<DeliveryRow['outcome'], Look>> = {
  delivered: { icon: 'healthy', tone: 'good', word: 'Delivered' },
  failed: { icon: 'refresh', tone: 'warn', word: 'To be tried again' },
  'gave-up': { icon: 'unavailable', tone: 'bad', word: 'Given up' },
  gone: { icon: 'unavailable', tone: 'bad', word: 'Refused for good' },
}
