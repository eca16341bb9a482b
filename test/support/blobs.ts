import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { openFileBlobs } from '#libs/blobs/file.ts'
import type { Clock } from '#libs/clock.ts'
import { systemClock } from '#libs/systemClock.ts'

/** Blobs in a folder that is gone when the test ends. */
export async function testBlobs(clock: Clock = systemClock) {
  const folder = await mkdtemp(join(tmpdir(), 'remuda-blobs-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return { folder, blobs: await openFileBlobs(folder, clock) }
}
