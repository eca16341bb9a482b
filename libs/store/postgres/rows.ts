import type { Recorded } from '#contracts/message.ts'
import { StoreFault } from '../store.ts'
import type { Row } from './session.ts'

export const eventColumns = 'e.position, e.stream, e.version, e.at, e.type, e.data, e.meta'

interface Origin {
  readonly id: string
  readonly actor: string
  readonly commandId: string
  readonly correlationId: string
  readonly causationId: string | null
}

/** The event in a row of `eventColumns`. Throws `StoreFault` when it is damaged. */
export function eventOf(row: Row): Recorded {
  const [position, stream, version, at, type, data, meta] = row as readonly string[]
  try {
    const { id, actor, commandId, correlationId, causationId } = JSON.parse(meta as string) as Origin
    const place = { stream: stream as string, version: Number(version), position: Number(position), at: Number(at) }
    return {
      type: type as string,
      data: JSON.parse(data as string) as unknown,
      meta: { id, ...place, actor, commandId, correlationId, causationId },
    }
  } catch (cause) {
    throw new StoreFault(`The event at position ${position} of ${stream} is damaged. Restore the last backup.`, {
      cause,
    })
  }
}
