import { status, type ServerWritableStream } from '@grpc/grpc-js'
import streams from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/streams_pb.js'
import type { ReadReq, ReadResp } from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/streams_pb.js'
import { failure, type ServerFaults } from './faults.ts'
import type { KurrentLog, LogRecord } from './log.ts'
import { confirmation, eventAnswer, nameOf, notFoundAnswer } from './messages.ts'

export type ReadCall = ServerWritableStream<ReadReq, ReadResp>

/** Answers the method `Read`: of a stream, of all, and subscriptions to all. */
export function answerRead(log: KurrentLog, faults: ServerFaults, call: ReadCall): void {
  const options = call.request.getOptions()
  const error = faults.errorFor(call.metadata)
  if (error !== null || options === undefined) return void call.emit('error', error)
  const isStructured = options.getUuidOption()?.hasStructured() === true
  const tell = (record: LogRecord) => call.write(eventAnswer(record, isStructured))

  if (options.hasStream()) {
    const records = streamRecords(log, options)
    if (records === null) call.write(notFoundAnswer(nameOf(options.getStream()?.getStreamIdentifier())))
    for (const record of records ?? []) tell(record)
    return void call.end()
  }
  const from = startOf(options)
  if (!log.isBoundary(from)) {
    return void call.emit('error', failure(status.INVALID_ARGUMENT, 'Trying to read from an invalid position.'))
  }
  if (options.hasSubscription()) return subscribe(log, call, (record) => matches(options, record), from, tell)
  for (const record of allRecords(log, options, from)) tell(record)
  call.end()
}

function streamRecords(log: KurrentLog, options: ReadReq.Options): readonly LogRecord[] | null {
  const asked = options.getStream()
  const records = log.stream(nameOf(asked?.getStreamIdentifier()))
  if (records === null || records.length === 0) return records
  const count = Number(options.getCount())
  const isBackwards = options.getReadDirection() === streams.ReadReq.Options.ReadDirection.BACKWARDS
  if (isBackwards) {
    const from = asked?.hasRevision() ? Number(asked.getRevision()) : asked?.hasStart() ? 0 : Infinity
    return records
      .filter(({ revision }) => revision <= from)
      .toReversed()
      .slice(0, count)
  }
  const from = asked?.hasRevision() ? Number(asked.getRevision()) : asked?.hasEnd() ? Infinity : 0
  return records.filter(({ revision }) => revision >= from).slice(0, count)
}

/** A position in the log; that of the end is one that no record has. */
function startOf(options: ReadReq.Options): number {
  const all = options.getAll()
  if (all?.hasEnd()) return Infinity
  return all?.hasPosition() ? Number(all.getPosition()?.getCommitPosition()) : 0
}

function allRecords(log: KurrentLog, options: ReadReq.Options, from: number): readonly LogRecord[] {
  const isBackwards = options.getReadDirection() === streams.ReadReq.Options.ReadDirection.BACKWARDS
  // Forwards the record at the position comes first; backwards the one before it does.
  const records = isBackwards
    ? log.records.filter(({ position }) => position < from).toReversed()
    : log.records.filter(({ position }) => position >= from)
  return records.filter((record) => matches(options, record)).slice(0, Number(options.getCount()))
}

function matches(options: ReadReq.Options, { stream }: LogRecord): boolean {
  const prefixes = options.getFilter()?.getStreamIdentifier()?.getPrefixList() ?? ['']
  return prefixes.some((prefix) => stream.startsWith(prefix))
}

function subscribe(
  log: KurrentLog,
  call: ReadCall,
  isWanted: (record: LogRecord) => boolean,
  after: number,
  tell: (record: LogRecord) => void,
): void {
  call.write(confirmation())
  let told = after === 0 ? -1 : Math.min(after, log.records.at(-1)?.position ?? 0)
  const goOn = () => {
    for (const record of log.records) {
      if (record.position <= told) continue
      told = record.position
      if (isWanted(record)) tell(record)
    }
  }
  const stop = log.listen(goOn)
  call.on('cancelled', stop).on('close', stop).on('error', stop)
  goOn()
}
