import type { Parked, Snapshot } from './store.ts'
import { checkStream } from './limits.ts'

const nameCharsMax = 200
const reasonCharsMax = 10_000
const stateCharsMax = 64 * 1_048_576

/** The state of a snapshot as JSON text. Throws a `RangeError` when the snapshot can not be kept. */
export function snapshotText(stream: string, { schema, version, state }: Snapshot): string {
  checkStream(stream)
  checkText('the schema of a snapshot', schema, nameCharsMax)
  checkCount(`the version of a snapshot of ${stream}`, version)
  const text = JSON.stringify(state) as string | undefined
  checkText(`the state in a snapshot of ${stream}`, text, stateCharsMax)
  return text as string
}

/** Throws a `RangeError` when a checkpoint can not be kept. */
export function checkCheckpoint(name: string, position: number): void {
  checkText('the name of a checkpoint', name, nameCharsMax)
  checkCount(`the position of checkpoint ${name}`, position)
}

/** Throws a `RangeError` when a parked event can not be kept. */
export function checkParked({ reactor, position, stream, type, reason, attempts, parkedAt }: Parked): void {
  checkStream(stream)
  checkText('the name of a reactor', reactor, nameCharsMax)
  checkText('the type of a parked event', type, nameCharsMax)
  checkText('the reason for parking', reason, reasonCharsMax)
  checkCount('the position of a parked event', position)
  checkCount('attempts', attempts)
  checkCount('parkedAt', parkedAt)
}

/** Throws a `RangeError` when no store can be of this epoch. */
export const checkEpoch = (epoch: number): void => checkCount('an epoch', epoch)

function checkText(what: string, text: unknown, charsMax: number): void {
  if (typeof text !== 'string' || text.length > charsMax)
    throw new RangeError(`${what} is text of at most ${charsMax} characters`)
}

function checkCount(what: string, count: number): void {
  if (!Number.isSafeInteger(count) || count < 0) throw new RangeError(`${what} is a whole number from 0, not ${count}`)
}
