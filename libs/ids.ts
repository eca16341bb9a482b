import { createHash } from 'node:crypto'

const hexOfUuid = 32

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
