import { mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { PackageOrder } from '#contracts/agent.ts'
import type { Clock } from '#libs/clock.ts'
import { Serial } from '#libs/serial.ts'
import { lockFolder } from '../lock.ts'
import type { InstallOptions, Packages, ReadyPackage } from '../ports.ts'
import { PackageCache } from './cache.ts'
import { asFault } from './fault.ts'
import { downloadDefaults, cacheDefaults, unpackDefaults } from './limits.ts'
import type { CacheLimits, DownloadLimits, UnpackLimits } from './limits.ts'
import { Releases } from './releases.ts'
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
  /** Versions of a package that stay on the machine, with the current and the previous one. */
  readonly keepReleases: number
  readonly limits?: Partial<UnpackLimits & DownloadLimits & CacheLimits>
}

/**
 * The packages of this machine: downloaded once, their versions unpacked beside each other, one of each current.
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
  const places = new Serial(waitingMax)

  const bring = async (order: PackageOrder, { key, signal, say }: InstallOptions): Promise<void> => {
    const source = sourceOf(order, server, key, clock)
    const startedMs = clock.steadyMs()
    await cache.use(source, order, signal, async (archive, wasHere) => {
      const { size } = await stat(archive)
      const how = wasHere ? 'was here already' : `downloaded in ${Math.round(clock.steadyMs() - startedMs)} ms`
      say(`package ${order.name} ${order.version}: ${(size / mebibyte).toFixed(1)} MiB, ${how}\n`)
      const beside = await releases.begin(order)
      await unpack(archive, releases.folderOf(order), beside, { limits, signal }).catch(async (error: unknown) => {
        await releases.endTrials(order)
        throw error
      })
    })
  }

  const prepare = async (order: PackageOrder, options: InstallOptions): Promise<ReadyPackage> => {
    options.signal.throwIfAborted()
    await releases.endTrials(order)
    if (await releases.has(order)) options.say(`package ${order.name} ${order.version}: is unpacked here already\n`)
    else await bring(order, options)
    return {
      folder: releases.folderOf(order),
      previous: await releases.before(order),
      activate: () => inTurn(order, () => activate(order)),
      [Symbol.dispose]: releases.hold(order),
    }
  }

  const activate = async (order: PackageOrder): Promise<void> => {
    await releases.activate(order)
    await releases.prune(order, order.keep ?? keepReleases)
    await cache.evict()
  }

  /** One thing at a time for each package. */
  const inTurn = <Result>({ projectId, name }: PackageOrder, work: () => Promise<Result>): Promise<Result> => {
    const turn = places.run(`${projectId} ${name}`, work)
    if (turn === null) throw new Error(`too much waits for package ${name} of ${projectId}`)
    return turn.catch((error: unknown) => {
      throw asFault(error)
    })
  }

  return {
    prepare: async (order, given) => inTurn(order, () => prepare(order, given)),
    [Symbol.asyncDispose]: () => lock[Symbol.asyncDispose](),
  }
}
