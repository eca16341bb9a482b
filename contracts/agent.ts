import { z } from 'zod'
import { CheckLevel, checkName, findingCharsMax } from './health.ts'
import { attributes, machineId, machineName, projectId, roles, durationMs, version } from './ids.ts'
import { MachineFacts, publicKey } from './machine.ts'
import { RemovalCause } from './machine.ts'
import { TaskResult } from './taskResult.ts'
import { packageDigest, packageName } from './package.ts'
import { variableName } from './process.ts'
import { httpCall } from './steps/http.ts'
import { keepMax, keepMin } from './steps/package.ts'
import { scriptCharsMax } from './steps/script.ts'

/** The agent's protocol, version 1: JSON text frames over one outbound WebSocket at `/v1/agent`. */
export const agentProtocol = 1
export const logChunkCharsMax = 64 * 1024
const taskId = z.string().min(1).max(200)
const signature = z.string().regex(/^[A-Za-z0-9_-]{86}$/, 'an Ed25519 signature is 64 bytes as base64url')

/** What is signed at enrolment: proves that the one who shows the token also holds the key. */
export const enrollmentProof = (enrolledKey: string, enrollmentId: string) =>
  `remuda-enroll-v1\n${enrollmentId}\n${enrolledKey}`

/** What is signed at each connection: bound to the server's nonce, so a recording of it opens nothing. */
export const sessionProof = (nonce: string, machine: string) => `remuda-session-v1\n${machine}\n${nonce}`

/** What is signed to get a package: bound to the package and the time, so a recording of it soon opens nothing. */
export const packageProof = (machine: string, atMs: number, digest: string) =>
  `remuda-package-v1\n${machine}\n${atMs}\n${digest}`

const credentialPattern = /^Remuda-Machine ([a-z0-9-]{1,63}) (\d{1,16}) ([A-Za-z0-9_-]{86})$/

/** The `Authorization` of a machine that asks for a package. */
export const packageCredential = (machine: string, atMs: number, signed: string) =>
  `Remuda-Machine ${machine} ${atMs} ${signed}`

export function parsePackageCredential(authorization: string) {
  const [, machine, atMs, signed] = credentialPattern.exec(authorization) ?? []
  return machine === undefined || signed === undefined
    ? null
    : { machineId: machine, atMs: Number(atMs), signature: signed }
}

/** POST /v1/agent/enroll: the only request a machine makes without its own credential. */
export const EnrollRequest = z.strictObject({
  token: z.string().min(1).max(200),
  name: machineName,
  /** The roles wanted, a part of what the token allows; empty: all of them. */
  roles,
  publicKey,
  signature,
  facts: MachineFacts,
  attributes,
})
export type EnrollRequest = z.infer<typeof EnrollRequest>

export const EnrollReply = z.object({
  machineId,
  environmentId: z.string(),
  name: z.string(),
  position: z.number(),
})
export type EnrollReply = z.infer<typeof EnrollReply>

const packageBytesMax = 1_024 ** 4

/** A package that the script runs in, if there is one, with the digest that was fixed when the release was made. */
export const PackageOrder = z.object({
  /** Whose packages it is kept among on the machine. */
  projectId,
  name: packageName,
  version,
  digest: packageDigest,
  /** null: only the digest is known beforehand. */
  sizeBytes: z.number().int().nonnegative().max(packageBytesMax).nullable(),
  /** Where it is downloaded from; null: from the server. */
  url: z.url().max(2_000).nullable(),
  /** How many of its versions stay on the machine; left out: as many as the agent is set to keep. */
  keep: z.number().int().min(keepMin).max(keepMax).optional(),
})
export type PackageOrder = Readonly<z.infer<typeof PackageOrder>>

/** Everything a machine needs to run one attempt of a task. Sent to the machine it is for, and to no other. */
export const WorkOrder = z.object({
  taskId,
  deploymentId: z.string(),
  stepId: z.string(),
  attempt: z.number().int().positive(),
  epoch: z.number().int(),
  interpreter: z.string(),
  script: z.string().max(scriptCharsMax),
  /** In the place of a script, which is empty then: the machine calls an address itself. */
  http: z.object(httpCall(z.object)).optional(),
  environment: z.record(z.string(), z.string()),
  /** The variables of the environment whose values must not leave the machine. */
  sensitive: z.array(variableName).optional(),
  /** The variables whose values the script finds in files; the variables then hold the paths. */
  files: z.array(variableName).optional(),
  timeLimitMs: durationMs,
  logCharsMax: z.number().int(),
  package: PackageOrder.optional(),
})
export type WorkOrder = z.infer<typeof WorkOrder>

/** A check of the environment's policy, for a machine that runs it of its own accord and tells what came of it. */
export const AgentCheck = z.object({
  name: checkName,
  interpreter: z.string(),
  script: z.string(),
  /** One of the two says when: so often, or at the times of a cron rule, in UTC. */
  everyMs: durationMs.optional(),
  cron: z.string().optional(),
  timeoutMs: durationMs,
  retries: z.number().int().nonnegative(),
})
export type AgentCheck = Readonly<z.infer<typeof AgentCheck>>

/** Frames from the server. */
export const ServerFrame = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('challenge'),
    nonce: z.string(),
    protocol: z.number(),
    epoch: z.number(),
  }),
  z.object({
    type: z.literal('welcome'),
    machineId,
    heartbeatEveryMs: durationMs,
    taskLeaseEveryMs: durationMs,
    /** Why the machine had been removed, when it had been: it is registered again from now on. */
    returnedFrom: RemovalCause.nullable(),
    /** The checks to run from now on, and no others. A server that knows of no checks must not be told of any. */
    checks: z.array(AgentCheck).readonly().optional(),
  }),
  z.object({ type: z.literal('run'), order: WorkOrder }),
  z.object({ type: z.literal('cancel'), taskId, reason: z.string() }),
  /** Stored: the agent may forget the result, or the log up to this chunk. */
  z.object({ type: z.literal('result-stored'), taskId }),
  z.object({ type: z.literal('log-stored'), taskId, chunk: z.number() }),
  z.object({ type: z.literal('ping'), id: z.string() }),
  z.object({
    type: z.literal('refused'),
    code: z.string(),
    detail: z.string(),
    final: z.boolean(),
  }),
])
export type ServerFrame = z.infer<typeof ServerFrame>

/** Frames from the agent. */
export const AgentFrame = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('hello'),
    protocol: z.number().int(),
    machineId,
    signature,
    epoch: z.number().int(),
    facts: MachineFacts,
    attributes,
  }),
  z.strictObject({ type: z.literal('heartbeat') }),
  z.strictObject({ type: z.literal('pong'), id: z.string().max(100) }),
  z.strictObject({ type: z.literal('task-started'), taskId, deploymentId: z.string() }),
  z.strictObject({ type: z.literal('task-alive'), taskId, deploymentId: z.string() }),
  z.strictObject({
    type: z.literal('task-log'),
    taskId,
    deploymentId: z.string(),
    chunk: z.number().int().positive(),
    text: z.string().max(logChunkCharsMax),
  }),
  z.strictObject({
    type: z.literal('task-result'),
    taskId,
    deploymentId: z.string(),
    result: TaskResult,
  }),
  z.strictObject({
    type: z.literal('check-result'),
    check: checkName,
    level: CheckLevel,
    /** What it printed, or why it did not run to its end in words; cut with a note where it was longer. */
    output: z.string().max(findingCharsMax),
    exitCode: z.number().int().nullable(),
    durationMs,
    timedOut: z.boolean(),
  }),
  z.strictObject({ type: z.literal('leaving'), reason: z.string().max(200) }),
])
export type AgentFrame = z.infer<typeof AgentFrame>
