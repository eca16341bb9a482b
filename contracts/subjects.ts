import type { ServiceName } from './command.ts'

/** Streams and subjects are named here and nowhere else. A stream is `<category>-<id>`. */
const streamOf = (category: string) => (id: string) => `${category}-${id}`

export const environmentStream = streamOf('environment')
export const machineStream = streamOf('machine')
export const enrollmentStream = streamOf('enrollment')
export const tokenStream = streamOf('token')
export const webhookStream = streamOf('webhook')
export const healthStream = streamOf('health')
export const observerStream = streamOf('observer')
export const policyStream = streamOf('policy')
export const projectStream = streamOf('project')
export const releaseStream = (projectId: string, version: string) => streamOf('release')(`${projectId}@${version}`)
export const packageStream = streamOf('package')
export const templateStream = streamOf('template')
export const deploymentStream = streamOf('deployment')
/** The log of one task attempt: version n of the stream is chunk n, which makes appending it idempotent. */
export const taskLogStream = streamOf('tasklog')

export const categoryOf = (stream: string): string => stream.slice(0, stream.indexOf('-'))
export const idOf = (stream: string): string => stream.slice(stream.indexOf('-') + 1)

/** Dots and wildcards mean something on the bus, so ids that may hold them are made safe. */
const token = (text: string) => text.replaceAll(/[.*>\s]/g, '_')

export const allEvents = 'remuda.events.>'
export const eventSubject = (stream: string) => `remuda.events.${categoryOf(stream)}.${token(idOf(stream))}`

/**
 * @param to whom it is for where not every process of the service can answer: a partition, or a gateway
 */
export const commandSubject = (service: ServiceName, type: string, to?: string) =>
  `remuda.commands.${service}.${type}${to === undefined ? '' : `.${token(to)}`}`
export const allCommandsOf = (service: ServiceName, to?: string) => commandSubject(service, '*', to)

/** Where a reactor is asked to try an event again that it had to set aside. */
export const parkedRetrySubject = (reactor: string) => `remuda.parked.${token(reactor)}`

/**
 * Where other systems make requests: `remuda.in.<type>`. Below `as`, the name says who asks: the server of NATS lets
 * only that user publish there.
 */
export const inboundSubjects = 'remuda.in.*'
export const inboundSubjectsAs = (user: string) => `remuda.in.as.${user}.*`
export const inboundTypeOf = (subject: string): string => subject.slice(subject.lastIndexOf('.') + 1)

/** Signals are not facts: heartbeats of machines, by the partition that hears them, and renewals of task leases. */
export const heartbeatSignal = (partition: number | string) => `remuda.signals.heartbeat.${partition}`
/** What checks have found on machines, by the partition that keeps their health. */
export const checkSignal = (partition: number | string) => `remuda.signals.check.${partition}`
export const taskLeaseSignal = 'remuda.signals.task-lease'
/** A machine has begun a session at one gateway, which ends one that it may have at another. */
export const sessionSignal = 'remuda.signals.session'
