import { RequestError, TimeoutError } from '@nats-io/transport-node'
import { BusFault } from '../bus.ts'

/** What the failure of a request means to the one who asked. */
export function faultOf(cause: unknown, subject: string, timeoutMs: number, closed: boolean): BusFault {
  if (cause instanceof BusFault) return cause
  if (closed) return new BusFault('closed', 'the bus was closed', { cause })
  if (cause instanceof TimeoutError)
    return new BusFault('timeout', `no answer to ${subject} within ${timeoutMs} ms`, { cause })
  if (cause instanceof RequestError && cause.isNoResponders())
    return new BusFault('no-responders', `nobody answers ${subject}`, { cause })
  const why = cause instanceof Error ? cause.message : String(cause)
  return new BusFault('failed', `${subject} could not be asked: ${why}`, { cause })
}
