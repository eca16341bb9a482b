import { CheckSignal, HeartbeatSignal, SessionSignal, TaskLeaseSignal } from '../../signals.ts'
import { checkSignal, heartbeatSignal, parkedRetrySubject, sessionSignal, taskLeaseSignal } from '../../subjects.ts'
import { readSchema, type Json } from '../jsonSchema.ts'
import * as sample from '../samples.ts'
import { channel, channelRef, messagesIn, schemaRef, type Part } from './part.ts'

const { deploymentId, taskId, machineId } = sample
const message = (name: string, summary: string, schema: Json, example: Json | boolean): Json => ({
  ...{ name, title: name, summary, contentType: 'application/json', payload: schema },
  examples: [{ name, payload: example }],
})

const heartbeat = { gatewayId: 'gateway-1', machineIds: [machineId], closed: [] }
const check = {
  ...{ gatewayId: 'gateway-1', machineId, check: 'disk', level: 'warning', output: '92 % of / is used' },
  ...{ exitCode: 1, durationMs: 12, timedOut: false },
}
const session = { gatewayId: 'gateway-1', machineId, isShared: false }
const lease = { deploymentId, taskId, machineId }

const parkedSchema: Json = {
  type: 'object',
  properties: { position: { type: 'integer', minimum: 1 } },
  required: ['position'],
}

const signal = (action: 'send' | 'receive', name: string, what: string, summary: string, service: string): Json => ({
  action,
  title: summary,
  summary,
  channel: channelRef(name),
  messages: messagesIn(name, [what]),
  tags: [{ name: service }],
})

const channels: Json = {
  heartbeats: channel({
    address: heartbeatSignal('{partition}'),
    server: 'bus',
    title: 'Heartbeats',
    description: 'Who was heard since the last batch. Losing one costs a little time, never a fact.',
    messages: ['Heartbeats'],
    parameters: { partition: { description: 'The part that the machines belong to, by a hash of their ids.' } },
  }),
  checks: channel({
    address: checkSignal('{partition}'),
    server: 'bus',
    title: 'Results of checks',
    description:
      'What a check of the policy has found on a machine. Every run is told, so losing one costs a little time.',
    messages: ['Check'],
    parameters: { partition: { description: 'The part that the machine belongs to, by a hash of its id.' } },
  }),
  taskLeases: channel({
    address: taskLeaseSignal,
    server: 'bus',
    title: 'Renewals of task leases',
    description: 'An attempt is still running on its machine.',
    messages: ['TaskLease'],
  }),
  sessions: channel({
    address: sessionSignal,
    server: 'bus',
    title: 'Sessions of machines',
    description: 'A machine has begun a session at one gateway, which ends one that it may have at another.',
    messages: ['Session'],
  }),
  parkedRetries: channel({
    address: parkedRetrySubject('{reactor}'),
    server: 'bus',
    title: 'Trying again what was set aside',
    description: 'Asked for by the query service when a person wants it.',
    messages: ['RetryParked'],
    parameters: { reactor: { description: 'The name of the reactor; dots in it are written as underscores.' } },
  }),
  parkedAnswers: channel({
    address: null,
    server: 'bus',
    title: 'Whether it went well this time',
    description: 'The subject that NATS makes for the one who asks, and that the request names.',
    messages: ['ParkedSettled'],
  }),
}

const operations: Json = {
  sendHeartbeats: signal('send', 'heartbeats', 'Heartbeats', 'A gateway tells whom it heard.', 'gateway'),
  hearHeartbeats: signal('receive', 'heartbeats', 'Heartbeats', 'Health hears who is there.', 'health'),
  sendChecks: signal('send', 'checks', 'Check', 'A gateway tells what a machine has found.', 'gateway'),
  hearChecks: signal('receive', 'checks', 'Check', 'Health hears what machines have found.', 'health'),
  sendTaskLeases: signal('send', 'taskLeases', 'TaskLease', 'A gateway tells what still runs.', 'gateway'),
  hearTaskLeases: signal('receive', 'taskLeases', 'TaskLease', 'Deployment hears what still runs.', 'deployment'),
  tellSessions: signal('send', 'sessions', 'Session', 'A gateway tells who speaks with it.', 'gateway'),
  hearSessions: signal('receive', 'sessions', 'Session', 'The other gateways end their sessions with it.', 'gateway'),
  retryParked: {
    ...signal('receive', 'parkedRetries', 'RetryParked', 'Try an event again that was set aside.', 'policy'),
    reply: { channel: channelRef('parkedAnswers'), messages: messagesIn('parkedAnswers', ['ParkedSettled']) },
  },
}

const messages: Json = {
  Heartbeats: message('Heartbeats', 'Machines that were heard.', schemaRef('HeartbeatSignal'), heartbeat),
  Check: message('Check', 'What a check has found on a machine.', schemaRef('CheckSignal'), check),
  TaskLease: message('TaskLease', 'An attempt that still runs.', schemaRef('TaskLeaseSignal'), lease),
  Session: message('Session', 'A machine has begun a session.', schemaRef('SessionSignal'), session),
  RetryParked: message('RetryParked', 'The event at this position.', parkedSchema, { position: 42 }),
  ParkedSettled: message('ParkedSettled', 'Whether it has settled.', { type: 'boolean' }, true),
}

const schemas: Json = {
  HeartbeatSignal: readSchema(HeartbeatSignal, 'draft-07'),
  CheckSignal: readSchema(CheckSignal, 'draft-07'),
  TaskLeaseSignal: readSchema(TaskLeaseSignal, 'draft-07'),
  SessionSignal: readSchema(SessionSignal, 'draft-07'),
}

/** What is only true at the moment, and is not kept; and how an event that was set aside is tried again. */
export const signalsPart: Part = { channels, operations, messages, schemas }
