import { Metadata, status, type ServiceError } from '@grpc/grpc-js'

/** What goes wrong at a server, until it is set back. */
export class ServerFaults {
  /** So many of the next appends are stored and never answered. */
  appendsUnanswered = 0
  /** So many of the next appends are stored and answered with the time-out of a server that does not know. */
  appendsTimedOut = 0
  /** Every call is turned away, as while a node starts. */
  isUnavailable = false
  /** Nobody may do anything. */
  isClosedToUs = false
  /** Where the leader is, when this node is none. */
  leader: { readonly host: string; readonly port: number } | null = null
  /** Appends larger than this are refused. */
  appendBytesMax = 1_048_576

  /** The error that a call gets instead of an answer. */
  errorFor(metadata: Metadata): ServiceError | null {
    if (this.isUnavailable) return failure(status.UNAVAILABLE, 'Server Is Not Ready')
    if (this.isClosedToUs) return failure(status.PERMISSION_DENIED, 'Access Denied', { exception: 'access-denied' })
    if (this.leader === null || metadata.get('requires-leader')[0] !== 'true') return null
    return failure(status.NOT_FOUND, 'Leader info available', {
      exception: 'not-leader',
      'leader-endpoint-host': this.leader.host,
      'leader-endpoint-port': String(this.leader.port),
    })
  }
}

/** An error as the server sends it: a status, and what it is exactly in the metadata. */
export function failure(code: status, details: string, trailers: Readonly<Record<string, string>> = {}): ServiceError {
  const metadata = new Metadata()
  for (const [name, value] of Object.entries(trailers)) metadata.set(name, value)
  return Object.assign(new Error(details), { code, details, metadata })
}
