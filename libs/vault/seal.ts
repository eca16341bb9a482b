import { createCipheriv, createDecipheriv } from 'node:crypto'
import type { Clock } from '../clock.ts'

const algorithm = 'aes-256-gcm'
export const keyBytes = 32
const nonceBytes = 12
const tagBytes = 16

/**
 * Encrypts with AES-256-GCM under a nonce of its own.
 * @param about what the text is bound to: whoever opens it must name the same
 */
export function seal(
  clock: Pick<Clock, 'bytes'>,
  key: Uint8Array,
  about: readonly unknown[],
  plain: Uint8Array,
): string {
  const nonce = clock.bytes(nonceBytes)
  const cipher = createCipheriv(algorithm, key, nonce, { authTagLength: tagBytes })
  cipher.setAAD(Buffer.from(JSON.stringify(about)))
  const sealed = Buffer.concat([cipher.update(plain), cipher.final()])
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64')
}

/** What was sealed; null when the key or what it is bound to is another, or a bit was changed. */
export function unseal(key: Uint8Array, about: readonly unknown[], sealed: string): Buffer | null {
  const bytes = Buffer.from(sealed, 'base64')
  if (bytes.length < nonceBytes + tagBytes) return null
  const decipher = createDecipheriv(algorithm, key, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes })
  decipher.setAAD(Buffer.from(JSON.stringify(about)))
  decipher.setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes))
  try {
    return Buffer.concat([decipher.update(bytes.subarray(nonceBytes + tagBytes)), decipher.final()])
  } catch {
    return null
  }
}
