/** What one event is stored as. */
export interface LogRecord {
  /** Where in the whole log it is, in bytes as on the real server, so that positions have gaps between them. */
  readonly position: number
  readonly stream: string
  readonly revision: number
  readonly id: string
  readonly metadata: ReadonlyMap<string, string>
  readonly data: Uint8Array
  readonly customMetadata: Uint8Array
}

/** What is to be appended. */
export type Proposal = Pick<LogRecord, 'id' | 'metadata' | 'data' | 'customMetadata'>

export type Expected = number | 'no stream' | 'any'

export type Appended =
  | { readonly revision: number; readonly position: number; readonly isNew: boolean }
  | { readonly current: number | null }

const headerBytes = 96
const ticksPerMs = 10_000

/**
 * The log of a KurrentDB server, as its clients can tell: exact expected revisions, appends that are idempotent by the
 * ids of their events, streams cut to their last events by their metadata, and records of others between ours.
 */
export class KurrentLog {
  readonly records: LogRecord[] = []
  readonly #streams = new Map<string, LogRecord[]>()
  readonly #listeners = new Set<() => void>()
  #end = headerBytes

  constructor() {
    this.append('$settings', 'any', [plain('$>', '{}')])
    this.append('orders-1', 'any', [plain('OrderPlaced', '{"sum":1}')])
  }

  append(stream: string, expected: Expected, proposals: readonly Proposal[]): Appended {
    const past = this.#streams.get(stream) ?? []
    const current = past.length - 1
    const wanted = expected === 'no stream' ? -1 : expected
    if (wanted !== 'any' && wanted !== current) {
      const before = past.slice(wanted + 1, wanted + 1 + proposals.length)
      const isSame = before.length === proposals.length && before.every(({ id }, at) => id === proposals[at]?.id)
      if (!isSame || before.length === 0) return { current: past.length === 0 ? null : current }
      const last = before.at(-1) as LogRecord
      return { revision: last.revision, position: last.position, isNew: false }
    }
    for (const proposal of proposals) this.#write(stream, past, proposal)
    this.#streams.set(stream, past)
    for (const listener of [...this.#listeners]) listener()
    return { revision: past.length - 1, position: past.at(-1)?.position ?? 0, isNew: true }
  }

  /** The events of a stream that its metadata let be seen; null when there is no such stream. */
  stream(name: string): readonly LogRecord[] | null {
    const records = this.#streams.get(name)
    if (records === undefined) return null
    const meta = this.#streams.get(`$$${name}`)?.at(-1)
    const { $maxCount = Infinity, $tb = 0 } = (meta ? JSON.parse(Buffer.from(meta.data).toString()) : {}) as Record<
      string,
      number
    >
    return records.filter(({ revision }) => revision >= $tb && revision >= records.length - $maxCount)
  }

  /** Whether a read may begin here: at a record, at the end, or behind it, and never within one. */
  isBoundary(position: number): boolean {
    return position === 0 || position >= this.#end || this.records.some((record) => record.position === position)
  }

  /** Calls whenever something was appended, until the answer is called. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #write(stream: string, past: LogRecord[], { id, metadata, data, customMetadata }: Proposal): void {
    const created = new Map([...metadata, ['created', String(Date.now() * ticksPerMs)]])
    const record = { position: this.#end, stream, revision: past.length, id, metadata: created, data, customMetadata }
    past.push(record)
    this.records.push(record)
    this.#end += headerBytes + data.length + customMetadata.length
  }
}

/** An event as others than Remuda write it. */
export const plain = (type: string, json: string): Proposal => ({
  id: crypto.randomUUID(),
  metadata: new Map([
    ['type', type],
    ['content-type', 'application/json'],
  ]),
  data: Buffer.from(json),
  customMetadata: new Uint8Array(),
})
