import { AuthorizationError, connect, type NatsConnection } from '@nats-io/transport-node'
import { backoffMs } from '#libs/backoff.ts'
import type { Clock } from '#libs/clock.ts'
import type { Log } from '#libs/log.ts'
import { BusFault } from '../bus.ts'
import { accessOptions, type NatsAccess } from './access.ts'
import { readAddress } from './address.ts'

const backoff = { baseMs: 100, delayMaxMs: 2_000 }

export interface ConnectOptions {
  readonly clock: Clock
  readonly log: Log
  readonly access: NatsAccess
  /** REMUDA_NATS_ALLOW_OLD: whether a server with known security holes will do, as for tests and development. */
  readonly allowOldServer: boolean
  /** For how long a server that does not answer at the start is tried again. */
  readonly connectWithinMs: number
  /** How long one try may take. */
  readonly dialMs: number
  /** How often a silent server is asked whether it is there; after two questions without an answer it is not. */
  readonly pingMs: number
  /** The pause before the next try to get a lost connection back. */
  readonly retryMs: () => number
}

/**
 * Connects, and from then on stays connected or tries to for ever.
 * @throws BusFault in words for people: where NATS was looked for, what it said, and what to do
 */
export async function connectToNats(url: string, options: ConnectOptions): Promise<NatsConnection> {
  const address = readAddress(url)
  const where = address.servers.join(', ')
  const access = accessOptions(address, options.access, options.log)
  const connection = await firstConnection(where, options, () =>
    connect({
      ...access,
      name: 'remuda',
      noAsyncTraces: true,
      timeout: options.dialMs,
      pingInterval: options.pingMs,
      maxReconnectAttempts: -1,
      // A server may refuse us while its accounts are being changed; that must not be the end.
      ignoreAuthErrorAbort: true,
      reconnectDelayHandler: options.retryMs,
    }),
  )
  const version = connection.info?.version ?? 'unknown'
  if (options.allowOldServer || isSafe(version)) return connection
  await connection.close()
  throw new BusFault(
    'failed',
    `NATS at ${where} is version ${version}, which has known security holes. Upgrade it to 2.11.16, 2.12.7 or newer, ` +
      'or set REMUDA_NATS_ALLOW_OLD=on if nobody else can reach it.',
  )
}

/** Whether the holes in its authorisation that were published in 2026 are mended: in 2.11.16, 2.12.7, and after 2.12. */
export function isSafe(version: string): boolean {
  const [, major = 0, minor = 0, patch = 0] = (/^(\d+)\.(\d+)\.(\d+)/.exec(version) ?? []).map(Number)
  // What comes before a release is not the release.
  const whole = version.includes('-') ? patch - 1 : patch
  if (major !== 2) return major > 2
  if (minor === 11) return whole >= 16
  return minor === 12 ? whole >= 7 : minor > 12
}

async function firstConnection(
  where: string,
  { clock, log, connectWithinMs }: ConnectOptions,
  dial: () => Promise<NatsConnection>,
): Promise<NatsConnection> {
  const deadlineMs = clock.steadyMs() + connectWithinMs
  for (let failures = 1; ; failures++) {
    try {
      return await dial()
    } catch (error) {
      const pauseMs = backoffMs(clock, failures, backoff)
      if (!isAbsence(error) || clock.steadyMs() + pauseMs > deadlineMs) throw explained(where, error)
      if (failures === 1) log.warn({ servers: where, error }, 'NATS does not answer yet; it is tried again')
      await clock.sleep(pauseMs)
    }
  }
}

const absenceCodes = new Set(['ECONNREFUSED', 'ECONNRESET', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN'])

/** Whether it is worth waiting: the server is starting, or its name is not known yet. */
function isAbsence(error: unknown): boolean {
  const { name, code, cause } = error as Error & { code?: string }
  if (name === 'TimeoutError' || absenceCodes.has(code ?? '')) return true
  return cause instanceof Error && isAbsence(cause)
}

function explained(where: string, cause: unknown): BusFault {
  const why = cause instanceof Error && cause.message !== '' ? cause.message : String(cause)
  const next =
    cause instanceof AuthorizationError
      ? 'Put a user and a password, or a token, into REMUDA_BUS_URL, or name a file by REMUDA_NATS_CREDS or REMUDA_NATS_NKEY.'
      : isAbsence(cause)
        ? 'Start it, or correct REMUDA_BUS_URL.'
        : 'See whether REMUDA_BUS_URL and the certificates (REMUDA_NATS_CA) are right; tls:// demands encryption.'
  return new BusFault('failed', `NATS at ${where} does not let Remuda in: ${why}. ${next}`, { cause })
}
