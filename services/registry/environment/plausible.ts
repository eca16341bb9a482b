import type { EnvironmentPolicy } from '#contracts/policySettings.ts'
import { impossibleCheckBecause } from './plausibleChecks.ts'
import { freezesFault } from './plausibleFreezes.ts'
import { removalsFault } from './plausibleRemovals.ts'

interface Rule {
  readonly holds: (policy: EnvironmentPolicy) => boolean
  readonly sentence: string
}

/** Settings that are each in range and together could never work. The first one that is broken is told. */
const rules: readonly Rule[] = [
  {
    holds: ({ health }) => health.heartbeatEveryMs > 0,
    sentence: 'health.heartbeatEveryMs must be more than 0, or machines would do nothing but send heartbeats',
  },
  {
    holds: ({ health }) => health.heartbeatEveryMs < health.lateAfterMs,
    sentence: 'health.lateAfterMs must be longer than health.heartbeatEveryMs, or every machine would always be late',
  },
  {
    holds: ({ health }) => health.lateAfterMs < health.unavailableAfterMs,
    sentence: 'health.unavailableAfterMs must be longer than health.lateAfterMs, since a machine is late first',
  },
  {
    holds: ({ health }) => health.probeTimeoutMs < health.probeEveryMs,
    sentence: 'health.probeEveryMs must be longer than health.probeTimeoutMs, or a probe would not end before the next',
  },
  {
    holds: ({ dynamicRegistration }) => dynamicRegistration.removeAfterMs > 0,
    sentence:
      'dynamicRegistration.removeAfterMs must be more than 0, or a single lost heartbeat would remove a machine',
  },
  {
    holds: ({ guard }) => guard.share > 0,
    sentence: 'guard.share must be more than 0; to have no share at all, switch the guard off',
  },
  {
    holds: ({ guard }) => guard.share <= guard.fullStopShare,
    sentence:
      'guard.fullStopShare must not be smaller than guard.share, since the guard holds back some before it stops all',
  },
  {
    holds: ({ guard }) => guard.windowMs > 0,
    sentence: 'guard.windowMs must be more than 0, or the guard would see no two machines go together',
  },
  {
    holds: ({ guard }) => guard.releaseShare === 0 || guard.releaseEveryMs > 0,
    sentence: 'guard.releaseEveryMs must be more than 0, or the guard would let everything go at once',
  },
  {
    holds: ({ automaticDeployments: { quietMs, waitMaxMs } }) => quietMs <= waitMaxMs,
    sentence:
      'automaticDeployments.quietMs must not be longer than automaticDeployments.waitMaxMs, which would cut it off',
  },
  {
    holds: ({ automaticDeployments: { backoffMinMs, backoffMaxMs } }) => backoffMinMs <= backoffMaxMs,
    sentence: 'automaticDeployments.backoffMinMs must not be longer than automaticDeployments.backoffMaxMs',
  },
  {
    holds: ({ automaticDeployments }) => automaticDeployments.breakerWindowMs > 0,
    sentence:
      'automaticDeployments.breakerWindowMs must be more than 0, or the breaker would see no two failures together',
  },
  {
    holds: ({ deployments }) => deployments.taskLeaseMs > 0,
    sentence: 'deployments.taskLeaseMs must be more than 0, or every task would count as lost',
  },
]

/** Why this policy could never work, as a sentence for people; null when nothing speaks against it. */
export const impossibleBecause = (policy: EnvironmentPolicy): string | null =>
  rules.find(({ holds }) => !holds(policy))?.sentence ??
  impossibleCheckBecause(policy) ??
  removalsFault(policy.dynamicRegistration) ??
  freezesFault(policy.deployments)
