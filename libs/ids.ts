import { createHash } from 'node:crypto'
import type { Cause } from '#contracts/message.ts'

const hexOfUuid = 32
const idDigits = 20

/**
 * The UUID (version 8, RFC 9562 section 5.8) that belongs to a text: the same text always gets the same one, so what
 * is made by a command that is sent again gets the id it got before.
 */
export function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex').slice(0, hexOfUuid)
  const variant = ((Number.parseInt(hex[16]!, 16) & 0x3) | 0x8).toString(16)
  const parts = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20),
  ]
  return parts.join('-')
}

/**
 * The id of what a request creates. A request that comes again with its Idempotency-Key has the same command id, so it
 * creates the same thing, which is there already.
 */
export const createdId = ({ commandId }: Pick<Cause, 'commandId'>): string =>
  createHash('sha256').update(commandId).digest('hex').slice(0, idDigits)
