import { z } from 'zod'
import { duration } from './units.ts'

const secondMs = 1_000
const minuteMs = 60 * secondMs
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

const share = z.number().min(0).max(1)
const count = z.number().int().min(0).max(100_000)

const dynamicRegistration = {
  enabled: z.boolean().default(true),
  removeAfterMs: duration.default(10 * minuteMs),
  removeWhenNotContactable: z.boolean().default(true),
  keepRemovedMs: duration.default(30 * dayMs),
}

const guard = {
  enabled: z.boolean().default(true),
  share: share.default(0.2),
  floor: count.default(2),
  windowMs: duration.default(5 * minuteMs),
  releaseShare: share.default(0.1),
  releaseEveryMs: duration.default(10 * minuteMs),
  fullStopShare: share.default(0.55),
}

const automaticDeployments = {
  enabled: z.boolean().default(true),
  quietMs: duration.default(20 * secondMs),
  waitMaxMs: duration.default(2 * minuteMs),
  machinesMax: count.min(1).default(50),
  triesMax: count.min(1).default(3),
  backoffMinMs: duration.default(30 * secondMs),
  backoffMaxMs: duration.default(hourMs),
  breakerMachines: count.min(1).default(3),
  breakerWindowMs: duration.default(15 * minuteMs),
}

const health = {
  heartbeatEveryMs: duration.default(10 * secondMs),
  lateAfterMs: duration.default(30 * secondMs),
  unavailableAfterMs: duration.default(minuteMs),
}

const deployments = {
  contactBudgetMs: duration.default(2 * minuteMs),
  taskLeaseMs: duration.default(2 * minuteMs),
  queueMax: count.min(1).default(100),
}

/**
 * An environment's policy: every duration of the design is a setting here, in milliseconds or as `10s`, `5m`.
 * What is left out takes the default, so `{}` is a whole policy.
 */
const settings = (object: typeof z.object) =>
  object({
    /** Elastic (true): machines that stop answering are removed. Static (false): they stay until a person removes them. */
    dynamicRegistration: object(dynamicRegistration).prefault({}),
    /** Withholds removals when a large share of the environment goes unavailable within the window. */
    guard: object(guard).prefault({}),
    automaticDeployments: object(automaticDeployments).prefault({}),
    health: object(health).prefault({}),
    deployments: object(deployments).prefault({}),
  })

/** As stored: tolerant of settings that a newer version may have added. */
export const EnvironmentPolicy = settings(z.object)
export type EnvironmentPolicy = z.infer<typeof EnvironmentPolicy>

/** As asked for: a setting that does not exist is a mistake and not ignored. */
export const PolicySettings = settings(z.strictObject as unknown as typeof z.object)
export type PolicySettings = z.infer<typeof PolicySettings>
