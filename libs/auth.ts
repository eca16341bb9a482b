import { createHash, timingSafeEqual } from 'node:crypto'
import type { Clock } from './clock.ts'

/** What a credential is for; its first word, so that scanners and people can tell them apart. */
export const tokenKinds = ['admin', 'user', 'join', 'agent'] as const
export type TokenKind = (typeof tokenKinds)[number]

const secretBytes = 32
const publicIdBytes = 8
const tokenMaxChars = 256
const tokenPattern = /^rmd_([a-z]+)_([A-Za-z0-9-]{1,64})_([A-Za-z0-9_-]{43})$/

export interface TokenParts {
  readonly kind: TokenKind
  /** Finds the token among those that are stored; no secret. */
  readonly publicId: string
  readonly secret: string
}

/**
 * A fresh credential, `rmd_<kind>_<publicId>_<secret>`, with 256 bits of chance in its secret.
 * @param publicId what it is stored under; made up unless told. Letters, digits and dashes, up to 64.
 * @returns the token, to be shown once, and what may be stored of it
 */
export function makeToken(clock: Pick<Clock, 'bytes'>, kind: TokenKind, publicId?: string) {
  const id = publicId ?? Buffer.from(clock.bytes(publicIdBytes)).toString('hex')
  const secret = Buffer.from(clock.bytes(secretBytes)).toString('base64url')
  const token = `rmd_${kind}_${id}_${secret}`
  if (parseToken(token) === null) throw new Error(`"${id}" cannot be the public id of a token`)
  return { token, publicId: id, secretHash: hashSecret(secret) }
}

/** The parts of a credential of ours, or null when it is none. */
export function parseToken(text: string): TokenParts | null {
  if (text.length > tokenMaxChars) return null
  const [, kind, publicId, secret] = tokenPattern.exec(text) ?? []
  const known = tokenKinds.find((name) => name === kind)
  if (known === undefined || publicId === undefined || secret === undefined) return null
  return { kind: known, publicId, secret }
}

/** SHA-256, in hex. A slow hash is for passwords; a secret of 256 random bits cannot be guessed at any speed. */
export const hashSecret = (secret: string): string => createHash('sha256').update(secret).digest('hex')

/** Whether this secret has that hash, in a time that tells nothing of how nearly it has. */
export function secretMatches(secret: string, secretHash: string): boolean {
  const given = Buffer.from(hashSecret(secret))
  const stored = Buffer.from(secretHash)
  return given.length === stored.length && timingSafeEqual(given, stored)
}
