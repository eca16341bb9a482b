import type { z } from 'zod'
import { AgentFrame, ServerFrame } from '../agent.ts'
import * as sample from './samples.ts'

const { deploymentId, taskId, machineId, attributes, facts, signature } = sample
const task = { taskId, deploymentId }

/** One example of each frame that an agent sends. */
export const agentFrames: { readonly [Type in AgentFrame['type']]: Extract<AgentFrame, { type: Type }> } = {
  hello: { type: 'hello', protocol: 1, machineId, signature, epoch: 1, facts, attributes },
  heartbeat: { type: 'heartbeat' },
  pong: { type: 'pong', id: 'p-1' },
  'task-started': { type: 'task-started', ...task },
  'task-alive': { type: 'task-alive', ...task },
  'task-log': { type: 'task-log', ...task, chunk: 1, text: 'installing 1.4.0 on web-1\n' },
  'task-result': {
    type: 'task-result',
    ...task,
    result: {
      outcome: 'failed',
      reason: 'exit-code',
      exitCode: 3,
      detail: 'no space left on device',
      durationMs: 4_200,
      logTruncated: false,
    },
  },
  'check-result': {
    type: 'check-result',
    check: 'disk',
    level: 'warning',
    output: '92 % of / is used',
    exitCode: 1,
    durationMs: 12,
    timedOut: false,
  },
  leaving: { type: 'leaving', reason: 'the machine shuts down' },
}

/** One example of each frame that the server sends. */
export const serverFrames: { readonly [Type in ServerFrame['type']]: Extract<ServerFrame, { type: Type }> } = {
  challenge: { type: 'challenge', nonce: 'bm9uY2U', protocol: 1, epoch: 1 },
  welcome: {
    type: 'welcome',
    machineId,
    heartbeatEveryMs: 10_000,
    taskLeaseEveryMs: 30_000,
    returnedFrom: sample.removalCause,
    checks: [
      {
        ...{ name: 'disk', interpreter: 'bash', script: 'exec /usr/local/bin/disk-space', everyMs: 60_000 },
        ...{ timeoutMs: 5_000, retries: 1 },
      },
    ],
  },
  run: {
    type: 'run',
    order: {
      ...task,
      stepId: 'install',
      attempt: 1,
      epoch: 1,
      interpreter: 'bash',
      script: 'install "$REMUDA_VERSION"',
      environment: { REMUDA_VERSION: sample.version },
      timeLimitMs: 600_000,
      logCharsMax: 1_048_576,
      package: {
        projectId: sample.projectId,
        name: sample.projectId,
        version: sample.version,
        digest: sample.packageDigest,
        sizeBytes: 1_048_576,
        url: null,
      },
    },
  },
  cancel: { type: 'cancel', taskId, reason: 'wrong version' },
  'result-stored': { type: 'result-stored', taskId },
  'log-stored': { type: 'log-stored', taskId, chunk: 1 },
  ping: { type: 'ping', id: 'p-1' },
  refused: { type: 'refused', code: 'MACHINE_REMOVED', detail: 'the machine has been removed', final: true },
}

const schemasOf = (union: { readonly options: readonly FrameSchema[] }) =>
  union.options.map((schema) => ({ type: schema.shape.type.value, schema }))
type FrameSchema = z.ZodType & { readonly shape: { readonly type: { readonly value: string } } }

export const agentFrameSchemas = schemasOf(AgentFrame)
export const serverFrameSchemas = schemasOf(ServerFrame)
