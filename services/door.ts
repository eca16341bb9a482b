import type { Blobs } from '#libs/blobs/blobs.ts'
import { createHttp, listen } from '#libs/http/http.ts'
import { startInbound } from '#libs/inbound/inbound.ts'
import type { Platform } from '#libs/platform.ts'
import type { Vault } from '#libs/vault/vault.ts'
import { adminTokenOf } from './adminToken.ts'
import type { ServerConfig } from './config.ts'
import { mountRoutes, type PackageStorage } from './mount.ts'
import type { Tally } from './notify/tally.ts'
import { startAuthenticator } from './registry/authenticator.ts'
import type { Services } from './start.ts'
import { startWorker } from './worker.ts'

const usualPort = 4780

/** Where a process can be reached over HTTP. */
export interface Door extends AsyncDisposable {
  readonly url: string
  /** Whether people, systems and agents are served here, and not only those who ask whether the process is well. */
  readonly isFront: boolean
  /** Resolves with the fault after which nobody may be let in any more; never, as long as all goes on. */
  readonly failure: Promise<unknown>
}

/**
 * Opens the process to the outside. Where agents or questions are answered, that is the front door with all routes,
 * wherever the services behind them run. Other processes only say whether they are well, on any port that is free
 * unless one is named.
 */
export async function openDoor(
  config: ServerConfig,
  platform: Platform,
  services: Services,
  version: string,
  kept: { readonly blobs: Blobs; readonly vault: Vault; readonly tally: Tally },
): Promise<Door> {
  await using stack = new AsyncDisposableStack()
  const { clock, log } = platform
  const { host, port, data } = config
  const isFront = services.gateway !== undefined || services.query !== undefined
  const adminToken = await adminTokenOf(data, config.adminToken, clock)
  const authenticator = stack.use(await startAuthenticator(platform, { adminToken }))
  const { authenticate } = authenticator
  const proxies = config.trustedProxies === undefined ? {} : { trustedProxies: config.trustedProxies }
  const app = await createHttp({ log, clock, authenticate, version, limits: config, ...proxies })
  if (config.services.includes('notify')) kept.tally.show(app.vitals.metrics)
  const storage = { packages: packagesOf(config, kept.blobs), vault: kept.vault }
  if (isFront) await mountRoutes(app, platform, services, storage)
  const http = stack.use(await listen(app, { host, port: port ?? (isFront ? usualPort : 0) }))
  // Other systems come in where people do, also when they come over the bus.
  if (services.query !== undefined)
    stack.use(startInbound({ app, ...platform, authenticator, limits: config, users: config.inboundUsers }))
  if (config.worker) stack.use(await startWorker(platform, http.url, data))

  const resources = stack.move()
  const { failure } = authenticator
  return { url: http.url, isFront, failure, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}

const packagesOf = (
  { packageMaxBytes: bytesMax, uploadMs, uploadStallMs }: ServerConfig,
  blobs: Blobs,
): PackageStorage => ({
  blobs,
  limits: { bytesMax, uploadMs, uploadStallMs },
})
