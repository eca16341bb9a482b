import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { PackageOrder } from '#contracts/agent.ts'
import type { Clock } from '#libs/clock.ts'
import { Serial } from '#libs/serial.ts'
import { lockFolder } from '../lock.ts'
import type { InstallOptions, Packages } from '../ports.ts'
import { PackageCache } from './cache.ts'
import { asFault } from './fault.ts'
import { downloadDefaults, cacheDefaults, unpackDefaults } from './limits.ts'
import type { CacheLimits, DownloadLimits, UnpackLimits } from './limits.ts'
import { Releases, type Activated } from './releases.ts'
import { sourceOf } from './source.ts'
import { unpack } from './unpack.ts'

const folderMode = 0o700
const waitingMax = 1_000
const mebibyte = 1_024 ** 2

export interface PackagesOptions {
  readonly clock: Clock
  /** The agent's data folder. */
  readonly data: string
  readonly server: string
  /** Releases of a project that stay on the machine, with the current and the previous one. */
  readonly keepReleases: number
  readonly limits?: Partial<UnpackLimits & DownloadLimits & CacheLimits>
}

/**
 * The packages of this machine: downloaded once, unpacked beside each other, one of them current for each project.
 * @throws LockFault when another process has the folder
 */
export async function openPackages(options: PackagesOptions): Promise<Packages & AsyncDisposable> {
  const { clock, data, server, keepReleases } = options
  const limits = { ...unpackDefaults, ...downloadDefaults, ...cacheDefaults, ...options.limits }
  const folder = join(data, 'packages')
  await mkdir(folder, { recursive: true, mode: folderMode })
  const lock = await lockFolder(folder)
  const releases = new Releases(join(data, 'releases'), clock)
  const cache = new PackageCache({ clock, folder, limits, cacheLimits: limits, isKept: releases.isInUse })
  const projects = new Serial(waitingMax)

  const bring = async (order: PackageOrder, { key, signal, say }: InstallOptions): Promise<void> => {
    const source = sourceOf(order, server, key, clock)
    const startedMs = clock.steadyMs()
    const unpackTo = async (archive: string, wasHere: boolean) => {
      const how = wasHere ? 'was here already' : `downloaded in ${Math.round(clock.steadyMs() - startedMs)} ms`
      say(`package ${order.name} ${order.version}: ${(order.sizeBytes / mebibyte).toFixed(1)} MiB, ${how}\n`)
      const beside = await releases.partialOf(order)
      await unpack(archive, releases.folderOf(order), beside, { limits, signal })
    }
    await cache.use(source, order, signal, unpackTo)
  }

  const install = async (order: PackageOrder, options: InstallOptions): Promise<Activated> => {
    options.signal.throwIfAborted()
    if (!(await releases.has(order))) await bring(order, options)
    const activated = await releases.activate(order)
    await releases.prune(order.projectId, keepReleases)
    await cache.evict()
    return activated
  }

  return {
    async install(order, given) {
      const turn = projects.run(order.projectId, () => install(order, given))
      if (turn === null) throw new Error(`too many packages of ${order.projectId} wait to be installed`)
      return turn.catch((error: unknown) => {
        throw asFault(error)
      })
    },
    [Symbol.asyncDispose]: () => lock[Symbol.asyncDispose](),
  }
}
