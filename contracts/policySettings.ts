import { z } from 'zod'
import { checkName } from './health.ts'
import { duration, durationBetween } from './units.ts'

const secondMs = 1_000
const minuteMs = 60 * secondMs
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

const share = z.number().min(0).max(1)
const count = z.number().int().min(0).max(100_000)

const quietHoursMax = 10
const labelsMax = 20
const checksMax = 20
const scriptCharsMax = 20_000
const label = z
  .string()
  .regex(/^[^=\s]{1,256}(=.{0,256})?$/, 'a label is a role, such as database, or an attribute, such as pet=yes')
/** Five fields, minute to day of week, as crontab(5) has them. */
const cron = z
  .string()
  .regex(/^(\S+\s+){4}\S+$/, 'five fields, as in 0 22 * * 1-5')
  .max(100)

/** A time in which something does not happen by itself: from each moment that the rule names, for so long. */
const quietHours = (object: typeof z.object) =>
  object({
    cron,
    forMs: durationBetween(minuteMs, 7 * dayMs),
    timeZone: z.string().max(50).default('UTC'),
  })

/** A script that every machine runs to say how it is: exit code 0 is ok, 1 a warning, any other a failure. */
const check = (object: typeof z.object) =>
  object({
    name: checkName,
    interpreter: z.string().min(1).max(100).default('bash'),
    script: z.string().min(1).max(scriptCharsMax),
    /** How often; spread over that time, machine by machine. Not set where `cron` says when. */
    everyMs: durationBetween(secondMs, 7 * dayMs).optional(),
    cron: cron.optional(),
    timeoutMs: durationBetween(100, hourMs).default(30 * secondMs),
    /** How often it is tried again, at once, before a failure is told. */
    retries: z.number().int().min(0).max(10).default(0),
    /** The roles of the machines that run it; empty: all. */
    roles: z.array(z.string().max(63)).max(32).readonly().default([]),
  })

const dynamicRegistration = (object: typeof z.object) => ({
  enabled: z.boolean().default(true),
  removeAfterMs: duration.default(10 * minuteMs),
  removeWhenNotContactable: z.boolean().default(true),
  keepRemovedMs: duration.default(30 * dayMs),
  /** The provider, by its name in the server's settings, that is asked about machines which do not answer. */
  provider: z.string().min(1).max(63).nullable().default(null),
  /** Where the provider says that a silent machine is terminated, it is removed without waiting. */
  removeWhenTerminated: z.boolean().default(true),
  /** For how long after its registration a machine is not removed automatically. */
  startUpGraceMs: duration.default(5 * minuteMs),
  /** Machines with one of these labels are only removed by a person. */
  protectedLabels: z.array(label).max(labelsMax).readonly().default([]),
  quietHours: z.array(quietHours(object)).max(quietHoursMax).readonly().default([]),
})

const guard = {
  enabled: z.boolean().default(true),
  /** The attribute of machines that fail together: each of its values is guarded by itself as well. */
  failureDomain: z.string().min(1).max(256).nullable().default('zone'),
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

const health = (object: typeof z.object) => ({
  heartbeatEveryMs: duration.default(10 * secondMs),
  lateAfterMs: duration.default(30 * secondMs),
  unavailableAfterMs: duration.default(minuteMs),
  /** Machines without an agent are looked at by the server, this often and with these thresholds. */
  probeEveryMs: durationBetween(secondMs, dayMs).default(minuteMs),
  probeTimeoutMs: durationBetween(50, 5 * minuteMs).default(10 * secondMs),
  failuresToGoDown: z.number().int().min(1).max(100).default(3),
  passesToComeBack: z.number().int().min(1).max(100).default(2),
  checks: z.array(check(object)).max(checksMax).readonly().default([]),
})

const deployments = (object: typeof z.object) => ({
  contactBudgetMs: duration.default(2 * minuteMs),
  taskLeaseMs: duration.default(2 * minuteMs),
  queueMax: count.min(1).default(100),
  /** How long a task of a cancelled deployment may take to end before it is given up. */
  cancelGraceMs: duration.default(minuteMs),
  /** Times in which no deployment starts; those that run go on. */
  freezes: z.array(quietHours(object)).max(quietHoursMax).readonly().default([]),
})

/**
 * An environment's policy: every duration of the design is a setting here, in milliseconds or as `10s`, `5m`.
 * What is left out takes the default, so `{}` is a whole policy.
 */
const settings = (object: typeof z.object) =>
  object({
    /** Elastic (true): machines that stop answering are removed. Static (false): they stay until a person removes them. */
    dynamicRegistration: object(dynamicRegistration(object)).prefault({}),
    /** Withholds removals when a large share of the environment goes unavailable within the window. */
    guard: object(guard).prefault({}),
    automaticDeployments: object(automaticDeployments).prefault({}),
    health: object(health(object)).prefault({}),
    deployments: object(deployments(object)).prefault({}),
  })

/** As stored: tolerant of settings that a newer version may have added. */
export const EnvironmentPolicy = settings(z.object)
export type EnvironmentPolicy = z.infer<typeof EnvironmentPolicy>

/** As asked for: a setting that does not exist is a mistake and not ignored. */
export const PolicySettings = settings(z.strictObject as unknown as typeof z.object)
export type PolicySettings = z.infer<typeof PolicySettings>

/** A policy as it was stored: what was invented since has its default. */
export const wholePolicy = (stored: unknown): EnvironmentPolicy => EnvironmentPolicy.parse(stored)

export type HealthCheck = EnvironmentPolicy['health']['checks'][number]
