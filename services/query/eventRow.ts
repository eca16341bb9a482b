import type { Recorded } from '#contracts/message.ts'
import type { EventRow } from '#contracts/eventRow.ts'
import { categoryOf, idOf } from '#contracts/subjects.ts'

/** What nobody needs to see, though nothing could be opened with it. */
const hidden: readonly string[] = ['secretHash']

/** An event as a CloudEvents 1.0 envelope. */
export function eventRow({ type, data, meta }: Recorded): EventRow {
  const { id, stream, version, position, at, actor, correlationId, causationId } = meta
  return {
    specversion: '1.0',
    id,
    source: `/remuda/${categoryOf(stream)}`,
    type,
    subject: idOf(stream),
    time: new Date(at).toISOString(),
    datacontenttype: 'application/json',
    stream,
    streamversion: version,
    position,
    actor,
    correlationid: correlationId,
    causationid: causationId,
    data: shown(data),
  }
}

const shown = (data: unknown): unknown => {
  if (typeof data !== 'object' || data === null || !hidden.some((name) => name in data)) return data
  return Object.fromEntries(Object.entries(data).filter(([name]) => !hidden.includes(name)))
}

export interface EventFilter {
  /** A stream such as `machine-web-07`, or a category such as `machine`. */
  readonly stream?: string | undefined
  readonly type?: string | undefined
}

export const matches = ({ stream, type }: EventFilter, event: Recorded): boolean =>
  (type === undefined || event.type === type) &&
  (stream === undefined || event.meta.stream === stream || categoryOf(event.meta.stream) === stream)
