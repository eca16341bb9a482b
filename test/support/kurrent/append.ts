import type { ServerDuplexStream } from '@grpc/grpc-js'
import shared from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/shared_pb.js'
import statuses from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/status_pb.js'
import streams from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/streams_pb.js'
import type {
  BatchAppendReq,
  BatchAppendResp,
} from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/streams_pb.js'
import any from 'google-protobuf/google/protobuf/any_pb.js'
import empty from 'google-protobuf/google/protobuf/empty_pb.js'
import type { ServerFaults } from './faults.ts'
import type { Expected, KurrentLog, Proposal } from './log.ts'
import { identifierOf, nameOf } from './messages.ts'

export type AppendCall = ServerDuplexStream<BatchAppendReq, BatchAppendResp>

interface Batch {
  readonly options: BatchAppendReq.Options
  readonly proposals: Proposal[]
}

/** Answers the method `BatchAppend`: many appends over one call, each in one message or in several. */
export function answerAppends(log: KurrentLog, faults: ServerFaults, call: AppendCall): void {
  const batches = new Map<string, Batch>()
  call.on('data', (message: BatchAppendReq) => {
    const error = faults.errorFor(call.metadata)
    if (error !== null) return void call.emit('error', error)
    const id = message.getCorrelationId()?.getString() ?? ''
    const batch = batches.get(id) ?? { options: message.getOptions() as BatchAppendReq.Options, proposals: [] }
    batches.set(id, batch)
    batch.proposals.push(...message.getProposedMessagesList().map(proposalOf))
    if (!message.getIsFinal()) return
    batches.delete(id)
    const answer = store(log, faults, batch)
    if (answer === null) return
    const identifier = identifierOf(nameOf(batch.options.getStreamIdentifier()))
    call.write(answer.setCorrelationId(message.getCorrelationId()).setStreamIdentifier(identifier))
  })
  call.on('end', () => call.end())
  call.on('error', () => {})
}

/** What is answered; null when nothing is. */
function store(log: KurrentLog, faults: ServerFaults, { options, proposals }: Batch): BatchAppendResp | null {
  const bytes = proposals.reduce((sum, { data, customMetadata }) => sum + data.length + customMetadata.length, 0)
  if (bytes > faults.appendBytesMax)
    return refusal(
      new shared.MaximumAppendSizeExceeded().setMaxappendsize(faults.appendBytesMax).serializeBinary(),
      'MaximumAppendSizeExceeded',
    )
  const expected = expectedOf(options)
  const appended = log.append(nameOf(options.getStreamIdentifier()), expected, proposals)
  if (faults.appendsUnanswered > 0) {
    faults.appendsUnanswered--
    return null
  }
  if (faults.appendsTimedOut > 0) {
    faults.appendsTimedOut--
    return refusal(new shared.Timeout().serializeBinary(), 'Timeout')
  }
  if ('current' in appended) return wrongVersion(expected, appended.current)
  const position = new shared.AllStreamPosition()
    .setCommitPosition(String(appended.position))
    .setPreparePosition(String(appended.position))
  const success = new streams.BatchAppendResp.Success()
    .setCurrentRevision(String(appended.revision))
    .setPosition(position)
  return new streams.BatchAppendResp().setSuccess(success)
}

function wrongVersion(expected: Expected, current: number | null): BatchAppendResp {
  const details = new shared.WrongExpectedVersion()
  if (current === null) details.setCurrentNoStream(new empty.Empty())
  else details.setCurrentStreamRevision(String(current))
  if (expected === 'no stream') details.setExpectedNoStream(new empty.Empty())
  else details.setExpectedStreamPosition(String(expected))
  return refusal(details.serializeBinary(), 'WrongExpectedVersion')
}

function refusal(bytes: Uint8Array, type: string): BatchAppendResp {
  const details = new any.Any()
  details.pack(bytes, `event_store.client.${type}`)
  return new streams.BatchAppendResp().setError(new statuses.Status().setMessage(type).setDetails(details))
}

function expectedOf(options: BatchAppendReq.Options): Expected {
  if (options.hasNoStream()) return 'no stream'
  return options.hasStreamPosition() ? Number(options.getStreamPosition()) : 'any'
}

const proposalOf = (message: BatchAppendReq.ProposedMessage): Proposal => ({
  id: message.getId()?.getString() ?? '',
  metadata: new Map(message.getMetadataMap().entries()),
  data: message.getData_asU8(),
  customMetadata: message.getCustomMetadata_asU8(),
})
