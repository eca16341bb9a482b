const second = 1_000
const kibibyte = 1_024

/** All that one client may ask of the server. Each can be set, none is absent. */
export interface HttpLimits {
  readonly bodyMaxBytes: number
  readonly headersMaxBytes: number
  readonly headersMax: number
  readonly addressMaxChars: number
  readonly jsonDepthMax: number
  /** How long a request may take to arrive as a whole. */
  readonly receiveMs: number
  /** How long a route may take to answer. Streams and sockets do not count. */
  readonly answerMs: number
  /** How long an upload or download of bytes may take. */
  readonly uploadMs: number
  /** How long an upload may bring nothing. */
  readonly uploadStallMs: number
  readonly keepAliveMs: number
  /** How long the checks behind /readyz may take. */
  readonly readinessMs: number
  readonly socketMessageMaxBytes: number
  /** Per credential: the steady rate, and how many may come at once before it counts. */
  readonly requestsPerSecond: number
  readonly requestsBurst: number
  /** Per address, for requests without a valid credential. Higher, since a whole site may stand behind one address. */
  readonly anonymousPerSecond: number
  readonly anonymousBurst: number
  /** How many credentials and addresses are counted at once; the longest unseen is forgotten first. */
  readonly callersMax: number
  /** How many idempotency keys are remembered with the body that they came with. */
  readonly idempotencyKeysMax: number
  readonly streamsMax: number
  readonly streamsPerCallerMax: number
  readonly streamHeartbeatMs: number
  /** What may wait to be sent to a reader of a stream before it counts as too slow. */
  readonly streamBacklogMaxBytes: number
}

export const defaultLimits: HttpLimits = {
  bodyMaxBytes: 256 * kibibyte,
  headersMaxBytes: 16 * kibibyte,
  headersMax: 100,
  addressMaxChars: 2 * kibibyte,
  jsonDepthMax: 20,
  receiveMs: 10 * second,
  answerMs: 60 * second,
  uploadMs: 1_800 * second,
  uploadStallMs: 30 * second,
  keepAliveMs: 72 * second,
  readinessMs: 2 * second,
  socketMessageMaxBytes: 1_024 * kibibyte,
  requestsPerSecond: 50,
  requestsBurst: 200,
  anonymousPerSecond: 100,
  anonymousBurst: 1_000,
  callersMax: 10_000,
  idempotencyKeysMax: 10_000,
  streamsMax: 500,
  streamsPerCallerMax: 20,
  streamHeartbeatMs: 15 * second,
  streamBacklogMaxBytes: 1_024 * kibibyte,
}
