import { readFileSync } from 'node:fs'
import {
  credsAuthenticator,
  nkeyAuthenticator,
  type Authenticator,
  type NodeConnectionOptions,
} from '@nats-io/transport-node'
import type { Log } from '#libs/log.ts'
import { BusFault } from '../bus.ts'
import type { NatsAddress } from './address.ts'

/** How to get in where a URL does not say it all. Files are named by their paths. */
export interface NatsAccess {
  /** REMUDA_NATS_CREDS: a token and a key as `nsc` writes them. */
  readonly credsFile?: string | undefined
  /** REMUDA_NATS_NKEY: the seed of a user's key. */
  readonly nkeyFile?: string | undefined
  /** REMUDA_NATS_CA: certificates of the authorities that the server's is checked against; the system's when not set. */
  readonly caFile?: string | undefined
  /** REMUDA_NATS_CERT and REMUDA_NATS_KEY: our own certificate, for servers that want to see one. */
  readonly certFile?: string | undefined
  readonly keyFile?: string | undefined
  /** What answers are sent to begins with this, so that permissions can tell one service's answers from another's. */
  readonly inboxPrefix?: string | undefined
}

/**
 * What the client must know to be let in.
 * @throws BusFault naming the setting, when a file cannot be read
 */
export function accessOptions(address: NatsAddress, access: NatsAccess, log: Log): NodeConnectionOptions {
  const { credsFile, nkeyFile, inboxPrefix } = access
  const tls = tlsOf(access)
  const authenticator = [
    ...(credsFile === undefined ? [] : [keyFileOf('REMUDA_NATS_CREDS', credsFile, credsAuthenticator, log)]),
    ...(nkeyFile === undefined ? [] : [keyFileOf('REMUDA_NATS_NKEY', nkeyFile, seedAuthenticator, log)]),
  ]
  return {
    servers: [...address.servers],
    ...address.login,
    ...(authenticator.length > 0 && { authenticator }),
    ...((address.tls || tls !== null) && { tls: tls ?? {} }),
    ...(inboxPrefix !== undefined && { inboxPrefix }),
  }
}

function tlsOf({ caFile, certFile, keyFile }: NatsAccess) {
  const given = { REMUDA_NATS_CA: caFile, REMUDA_NATS_CERT: certFile, REMUDA_NATS_KEY: keyFile }
  for (const [setting, path] of Object.entries(given)) if (path !== undefined) mustRead(setting, path)
  if (caFile === undefined && certFile === undefined) return null
  return {
    ...(caFile !== undefined && { caFile }),
    ...(certFile !== undefined && { certFile }),
    ...(keyFile !== undefined && { keyFile }),
  }
}

function mustRead(setting: string, path: string): Uint8Array {
  try {
    return readFileSync(path)
  } catch (cause) {
    throw new BusFault('failed', `${setting}: ${path} cannot be read (${(cause as Error).message}).`, { cause })
  }
}

const seedAuthenticator = (file: Uint8Array): Authenticator => {
  const seed = /^\s*(SU[A-Z2-7]{56})\s*$/m.exec(new TextDecoder().decode(file))?.[1]
  if (seed === undefined) throw new Error('it has no line with a seed, which begins with SU')
  return nkeyAuthenticator(new TextEncoder().encode(seed))
}

/**
 * Reads the file anew for every connection, since keys are replaced while we run. A file that is being written at
 * that moment must not end the connection for good, as a throw in here would, so the last one that was good is kept.
 */
function keyFileOf(setting: string, path: string, make: (file: Uint8Array) => Authenticator, log: Log): Authenticator {
  let good = mustRead(setting, path)
  try {
    make(good)('')
  } catch (cause) {
    const why = (cause as Error).message
    throw new BusFault('failed', `${setting}: ${path} does not hold what it should (${why}).`, { cause })
  }
  return (nonce) => {
    try {
      const fresh = readFileSync(path)
      const answer = make(fresh)(nonce)
      good = fresh
      return answer
    } catch (error) {
      log.warn({ setting, path, error }, 'a file of credentials cannot be read any more; the last ones are used')
      return make(good)(nonce)
    }
  }
}
