import type { DeploymentEvent } from '#contracts/deployment.ts'

/**
 * Until when each running attempt counts as alive without a sign from its machine. Leases are of this process: a
 * restart grants every attempt a fresh one, and time in which we could not listen is added to all.
 */
export function createLeases(nowMs: () => number) {
  const lengths = new Map<string, number>()
  const leases = new Map<string, { deploymentId: string; expiresAt: number }>()

  const renew = (taskId: string) => {
    const lease = leases.get(taskId)
    if (lease !== undefined) lease.expiresAt = nowMs() + (lengths.get(lease.deploymentId) ?? 0)
  }

  return {
    renew,
    isExpired: (taskId: string): boolean => {
      const lease = leases.get(taskId)
      return lease !== undefined && nowMs() > lease.expiresAt
    },
    /** The deployments with an attempt whose lease is over. */
    overdue(): readonly string[] {
      const now = nowMs()
      const ids = new Set<string>()
      for (const { deploymentId, expiresAt } of leases.values()) if (now > expiresAt) ids.add(deploymentId)
      return [...ids]
    },
    /** Gives every attempt back the time in which nobody could be heard. */
    extendAll(gapMs: number): void {
      for (const lease of leases.values()) lease.expiresAt += gapMs
    },
    apply(event: DeploymentEvent): void {
      const { deploymentId } = event.data
      if (event.type === 'DeploymentCreated') lengths.set(deploymentId, event.data.taskLeaseMs)
      if (event.type === 'TaskDispatched') {
        leases.set(event.data.taskId, { deploymentId, expiresAt: 0 })
        renew(event.data.taskId)
      }
      if (event.type === 'TaskStarted') renew(event.data.taskId)
      if (event.type === 'TaskSucceeded' || event.type === 'TaskFailed' || event.type === 'TaskLost')
        leases.delete(event.data.taskId)
      if (hasEnded(event)) lengths.delete(deploymentId)
    },
  }
}

export const hasEnded = ({ type }: DeploymentEvent): boolean =>
  type === 'DeploymentSucceeded' || type === 'DeploymentFailed' || type === 'DeploymentCancelled'

export type Leases = ReturnType<typeof createLeases>
