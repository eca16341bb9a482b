import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const execute = promisify(execFile)
const image = 'kurrentplatform/kurrentdb:25.1'
const port = 2113
const askMs = 10_000
/** The image may have to be fetched first. */
const startMs = 300_000

/** A server as it is sold, for stores with prefixes of their own. */
export interface RealServer extends AsyncDisposable {
  url(prefix: string): string
}

/**
 * A real server: the one that `REMUDA_TEST_KURRENTDB_URL` names, else one in a container where there is an engine for
 * them. Null where there is neither, which is said aloud and is no failure: most machines, and those that check every
 * change among them, run no containers, and the same tests run there over the same protocol.
 */
export async function startRealServer(): Promise<RealServer | null> {
  const given = process.env['REMUDA_TEST_KURRENTDB_URL']
  if (given) return { url: withPrefix(given), async [Symbol.asyncDispose]() {} }
  try {
    await docker(askMs, 'version', '--format', '{{.Server.Version}}')
  } catch {
    console.log('SKIPPED: the real KurrentDB. Set REMUDA_TEST_KURRENTDB_URL or start a Docker engine to test with one.')
    return null
  }
  return startContainer()
}

async function startContainer(): Promise<RealServer> {
  const settings = ['KURRENTDB_INSECURE=true', 'KURRENTDB_CLUSTER_SIZE=1', 'KURRENTDB_MAX_APPEND_SIZE=8388608']
  const environment = settings.flatMap((setting) => ['--env', setting])
  const container = await docker(startMs, 'run', '--detach', '--publish', `127.0.0.1::${port}`, ...environment, image)
  const address = await docker(askMs, 'port', container, `${port}/tcp`)
  return {
    url: withPrefix(`kurrentdb://${address.split('\n')[0]}?tls=false`),
    async [Symbol.asyncDispose]() {
      await docker(askMs, 'rm', '--force', '--volumes', container)
    },
  }
}

async function docker(timeout: number, ...parameters: readonly string[]): Promise<string> {
  const { stdout } = await execute('docker', parameters, { timeout })
  return stdout.trim()
}

const withPrefix =
  (url: string) =>
  (prefix: string): string =>
    `${url}${url.includes('?') ? '&' : '?'}prefix=${prefix}`
