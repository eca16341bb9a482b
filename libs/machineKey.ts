import { Buffer } from 'node:buffer'
import { createHash, createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto'

/**
 * A machine's key: Ed25519. The public half is what the registry knows, as base64url of its 32 raw bytes; the private
 * half never leaves the machine.
 */
export interface MachineKey {
  readonly publicKey: string
  readonly machineId: string
  /** The private key as PKCS #8 in PEM: for a file that only its owner can read. */
  readonly privatePem: string
  /** Signs a text, which has to begin with what it is for so that it proves nothing else. Answers base64url. */
  sign(text: string): string
}

export const seedBytes = 32
const rawKeyBytes = 32
const idDigits = 20
// Everything of the encodings that is not the key itself is the same for every Ed25519 key.
const privatePrefix = Buffer.from('302e020100300506032b657004220420', 'hex')
const publicPrefix = Buffer.from('302a300506032b6570032100', 'hex')

/**
 * Makes the key that follows from a seed: the same seed gives the same key.
 * @param seed 32 bytes fit for secrets
 * @throws RangeError when the seed has another length
 */
export function makeKey(seed: Uint8Array): MachineKey {
  if (seed.length !== seedBytes) throw new RangeError(`a key is made from ${seedBytes} bytes, not ${seed.length}`)
  return keyOf(createPrivateKey({ key: Buffer.concat([privatePrefix, seed]), format: 'der', type: 'pkcs8' }))
}

/**
 * Reads a key that was saved as PEM.
 * @throws RangeError when the text is no private Ed25519 key
 */
export function loadKey(privatePem: string): MachineKey {
  try {
    const key = createPrivateKey(privatePem)
    if (key.asymmetricKeyType === 'ed25519') return keyOf(key)
  } catch (cause) {
    throw new RangeError('this is no private key in PEM', { cause })
  }
  throw new RangeError('this is a private key, but not an Ed25519 one')
}

/** Whether the holder of the key has signed the text. What cannot be a key or a signature is simply not valid. */
export function verifySignature(publicKey: string, text: string, signature: string): boolean {
  const raw = Buffer.from(publicKey, 'base64url')
  if (raw.length !== rawKeyBytes) return false
  try {
    const key = createPublicKey({ key: Buffer.concat([publicPrefix, raw]), format: 'der', type: 'spki' })
    return verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64url'))
  } catch {
    return false
  }
}

/** The id belongs to the key, so a machine can be found by nothing but what it can prove. */
export const machineIdOf = (publicKey: string): string =>
  `m-${createHash('sha256').update(Buffer.from(publicKey, 'base64url')).digest('hex').slice(0, idDigits)}`

function keyOf(key: KeyObject): MachineKey {
  const publicKey = createPublicKey(key)
    .export({ format: 'der', type: 'spki' })
    .subarray(-rawKeyBytes)
    .toString('base64url')
  return {
    publicKey,
    machineId: machineIdOf(publicKey),
    privatePem: key.export({ format: 'pem', type: 'pkcs8' }),
    sign: (text) => sign(null, Buffer.from(text), key).toString('base64url'),
  }
}
