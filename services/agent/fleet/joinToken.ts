import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { Clock } from '#libs/clock.ts'
import { deadline, reach } from '../enrollHttp.ts'
import type { FleetConfig } from './config.ts'
import { FleetFault } from './fault.ts'

const Made = z.object({ token: z.string() })
const Problem = z.object({ code: z.string(), detail: z.string() })
const isHere = ({ hostname }: URL) => /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)

/**
 * The join token that is given, or else one that is made for this fleet and no larger one.
 * @throws FleetFault when there is no credential to make one with, or the server will not make one
 */
export async function joinTokenFor(config: FleetConfig, clock: Clock): Promise<string> {
  if (config.token !== undefined) return config.token
  const credential = config.apiToken ?? (await adminToken(config))
  if (credential === null)
    throw new FleetFault(
      'CREDENTIAL_MISSING',
      'No credential to make a join token with. Set REMUDA_API_TOKEN, or give a join token as --token.',
    )
  const url = new URL('/v1/enrollments', config.server)
  const late = new AbortController()
  using _ = deadline(clock, late)
  const response = await reach(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${credential}`, 'content-type': 'application/json' },
    body: JSON.stringify({ environmentId: config.environment, roles: config.role, usesMax: config.count }),
    signal: late.signal,
    redirect: 'error',
  }).catch((error: unknown) => {
    throw new FleetFault('SERVER_UNREACHABLE', `${(error as Error).message}. Start it, or name another with --server.`)
  })
  const body: unknown = await response.json().catch(() => null)
  if (response.ok) return Made.parse(body).token
  const { code, detail } = Problem.catch({ code: 'ANSWER_UNREADABLE', detail: `status ${response.status}` }).parse(body)
  throw new FleetFault(code, detail)
}

/** A server on this machine keeps one for whoever may read its data folder; it is sent to no other. */
async function adminToken({ server, data }: FleetConfig): Promise<string | null> {
  if (!isHere(new URL(server))) return null
  return (await readFile(join(data, 'admin-token'), 'utf8').catch(() => '')).trim() || null
}
