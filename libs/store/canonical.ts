import type { Recorded } from '#contracts/message.ts'

/**
 * An event as one line of text that is the same in every store: all but its position, with the fields of its data in
 * order.
 */
export function canonical({ type, data, meta }: Recorded): string {
  const { id, stream, version, at, actor, commandId, correlationId, causationId } = meta
  const parts = [id, stream, version, at, actor, commandId, correlationId, causationId, type, data]
  return `${JSON.stringify(parts, fieldsInOrder)}\n`
}

const fieldsInOrder = (_name: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1)))
    : value
