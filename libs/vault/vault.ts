import { createHash } from 'node:crypto'

/** Whose value it is. A value is bound to all of this: moved anywhere else, it cannot be read. */
export interface SecretOwner {
  readonly projectId: string
  readonly name: string
  /** Where the value holds, written so that equal scopes are written alike. */
  readonly scope: string
}

export interface SecretVersion {
  readonly secretId: string
  readonly version: number
}

/** `destroyed`: its key is gone for good. `unreadable`: it is not here, was changed, or is under another master key. */
export type SecretRead = { readonly value: string } | 'destroyed' | 'unreadable'

/**
 * Where sensitive values are kept, encrypted. Events and releases only refer to a version of a secret. Every secret has
 * a key of its own, so that all that was ever kept under it is destroyed by destroying 32 bytes.
 */
export interface Vault {
  /** Keeps a value as a new version. Nobody can read it who does not know whose it is. */
  put(owner: SecretOwner, value: string): Promise<SecretVersion>
  read(owner: SecretOwner, version: SecretVersion): Promise<SecretRead>
  /** Takes back a version that nothing refers to. */
  discard(version: SecretVersion): Promise<void>
  /** Makes every version unreadable, in copies of the vault's values as well; answers the last version there is. */
  destroy(secretId: string): Promise<number>
}

const idChars = 32

/** The same variable in the same scope is the same secret, whichever process keeps it. */
export const secretIdOf = ({ projectId, name, scope }: SecretOwner): string =>
  createHash('sha256')
    .update(JSON.stringify([projectId, name, scope]))
    .digest('hex')
    .slice(0, idChars)
