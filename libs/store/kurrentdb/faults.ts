import { StoreFault } from '../store.ts'

/** A call that was answered neither with yes nor with no in time. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer'

  constructor(answerMs: number) {
    super(`no answer within ${answerMs} ms`)
  }
}

/** What the client says is wrong: its own `type` for an answer of the server, else the `code` of gRPC, or neither. */
interface ClientError {
  readonly type?: string
  readonly code?: number
  readonly message?: string
}

const unavailableCode = 14
const unauthenticatedCode = 16

/** Cancelled, deadline exceeded, resource exhausted, aborted, internal, unavailable, data loss. */
const passingCodes = new Set([1, 4, 8, 10, 13, unavailableCode, 15])
const passingTypes = new Set(['timeout', 'deadline-exceeded', 'unavailable', 'cancelled', 'unknown', 'not-leader'])

const nextSteps: Readonly<Record<string, string>> = {
  'access-denied':
    'The server refuses this user or password, or the user may not read $all. Check both in the URL of the store, and ' +
    'make the user a member of $admins or let it read $all in the default access list.',
  'stream-deleted': 'Somebody deleted a stream of this store. Restore the last backup.',
  'stream-tombstoned': 'Somebody deleted a stream of this store. Restore the last backup.',
  'maximum-append-size-exceeded': 'Raise MaxAppendSize on the server; Remuda may append up to 16 MiB at once.',
  'transaction-max-size-exceeded': 'Raise MaxAppendSize on the server; Remuda may append up to 16 MiB at once.',
  'append-record-size-exceeded': 'Raise MaxAppendEventSize on the server; an event has up to 1 MiB.',
  'not-leader': 'The node is not the leader of its cluster. Give the URL of the whole cluster.',
}
const notReachable = 'The server can not be reached. Check that KurrentDB is running there, and the URL of the store.'

/** Whether the same may work in a moment: a server that restarts or elects a leader, an answer that was lost. */
export function isPassing(error: unknown): boolean {
  if (error instanceof StoreFault) return error.cause !== undefined && isPassing(error.cause)
  const { type, code, message = '' } = error as ClientError
  if (isInvalidPosition(error)) return false
  if (type !== undefined) return passingTypes.has(type)
  return error instanceof NoAnswer || passingCodes.has(code ?? -1) || message.startsWith('Failed to discover')
}

/** Whether what was sent may be stored all the same. */
export function leavesOpen(error: unknown): boolean {
  const { type, code, message = '' } = error as ClientError
  if (type === 'not-leader' || message.startsWith('Failed to discover')) return false
  if (code === unavailableCode && /No connection established|Name resolution/.test(message)) return false
  return isPassing(error)
}

export const isConflict = (error: unknown): boolean => (error as ClientError).type === 'wrong-expected-version'

export const isNotFound = (error: unknown): boolean => (error as ClientError).type === 'stream-not-found'

/** A read of all streams may begin only where a record begins; the client knows no name for that error. */
export const isInvalidPosition = (error: unknown): boolean =>
  /invalid position/i.test((error as ClientError).message ?? '')

/** Turns whatever was thrown into a `StoreFault` that says what was being done and what to do next. */
export function asFault(error: unknown, doing: string): StoreFault {
  if (error instanceof StoreFault) return error
  const { type, message } = error as ClientError
  const said = message || type || String(error)
  return new StoreFault(`KurrentDB failed while ${doing}: ${said}. ${nextStepFor(error)}`, { cause: error })
}

/** What is to be said when the answer was lost and did not come again. */
export const openFault = (error: unknown): StoreFault =>
  new StoreFault(
    'The connection to KurrentDB was lost while appending, so it is not known whether this was stored. ' +
      'Send the same command again: it is answered with what it stored, if it did.',
    { cause: error },
  )

function nextStepFor(error: unknown): string {
  const { type = '', code } = error as ClientError
  if (Object.hasOwn(nextSteps, type)) return nextSteps[type] as string
  if (code === unauthenticatedCode) return nextSteps['access-denied'] as string
  return isPassing(error) ? notReachable : 'See the log of the server.'
}
