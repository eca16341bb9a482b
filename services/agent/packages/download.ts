import { rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { backoffMs } from '#libs/backoff.ts'
import type { Clock } from '#libs/clock.ts'
import { syncFolder } from '#libs/syncFolder.ts'
import { asFault, PackageFault } from './fault.ts'
import { fetchRest, Passing } from './fetchRest.ts'
import { bytesOf, forgetPartial, partialFileOf, type PartialFile } from './partialFile.ts'
import type { PackageSource } from './source.ts'
import type { DownloadOptions, Wanted } from './wanted.ts'

const backoff = { baseMs: 500, delayMaxMs: 10_000 }

/**
 * Downloads a package to a file. What there is of it already is not asked for again, whoever brought it; it is there in
 * full, has the digest and is on disk, or it is not there at all.
 * @throws PackageFault, or why the signal was aborted
 */
export async function download(
  source: PackageSource,
  wanted: Wanted,
  path: string,
  { clock, limits, signal }: DownloadOptions,
): Promise<void> {
  if (wanted.sizeBytes !== null && wanted.sizeBytes > limits.bytesMax)
    throw new PackageFault(
      'PACKAGE_TOO_LARGE',
      `it has ${wanted.sizeBytes} bytes; this machine takes ${limits.bytesMax}`,
    )
  const partial = partialFileOf(path)
  using end = deadline(clock, limits.downloadMs, signal)
  try {
    await fetchPatiently(source, wanted, partial, { clock, limits, signal: end.signal })
    await rename(partial.path, path)
    await rm(partial.validatorPath, { force: true })
    await syncFolder(dirname(path))
  } catch (error) {
    const fault = asFault(error)
    const isWorthless =
      fault instanceof PackageFault && (fault.code === 'PACKAGE_DISK_FULL' || fault.code === 'PACKAGE_DIGEST_WRONG')
    if (isWorthless) await forgetPartial(partial)
    throw fault
  }
}

/** Tries again as long as tries bring something, and from the beginning, once, when what came is not what was wanted. */
async function fetchPatiently(
  source: PackageSource,
  wanted: Wanted,
  partial: PartialFile,
  options: DownloadOptions,
): Promise<void> {
  const { clock, limits, signal } = options
  let hasBegunAnew = false
  for (let failures = 0; ;) {
    const before = await bytesOf(partial)
    try {
      await fetchRest(source, wanted, partial, options)
      return
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof PackageFault && error.code === 'PACKAGE_DIGEST_WRONG' && !hasBegunAnew && before > 0) {
        hasBegunAnew = true
        await forgetPartial(partial)
        continue
      }
      if (!(error instanceof Passing)) throw error
      failures = (await bytesOf(partial)) > before ? 1 : failures + 1
      if (failures >= limits.attemptsMax)
        throw new PackageFault('PACKAGE_DOWNLOAD_FAILED', `${error.message} (${failures} tries)`, { cause: error })
      await clock.sleep(backoffMs(clock, failures, backoff), signal)
      signal.throwIfAborted()
    }
  }
}

/** Aborts when the signal does, or when the time is up. */
function deadline(clock: Clock, limitMs: number, signal: AbortSignal): Disposable & { readonly signal: AbortSignal } {
  const late = new AbortController()
  const timer = clock.timer(limitMs, () =>
    late.abort(new PackageFault('PACKAGE_DOWNLOAD_LATE', `the download took longer than ${limitMs} ms`)),
  )
  return { signal: AbortSignal.any([signal, late.signal]), [Symbol.dispose]: () => timer.cancel() }
}
