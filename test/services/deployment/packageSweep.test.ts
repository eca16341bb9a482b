import { describe, expect, it } from 'vitest'
import type { Recorded } from '#contracts/message.ts'
import { silentLog } from '#libs/log.ts'
import { PackageSweep } from '#services/deployment/packageSweep.ts'
import { chunksOf } from '#test/libs/blobs/conformance.ts'
import { testBlobs } from '#test/support/blobs.ts'
import { createVirtualClock } from '#test/support/virtualClock.ts'

const orphanGraceMs = 60_000

async function swept() {
  const clock = createVirtualClock({ startMs: Date.now() })
  const { blobs } = await testBlobs(clock)
  const sweep = new PackageSweep({ clock, log: silentLog, blobs, orphanGraceMs, sweepEveryMs: 3_600_000 })
  const put = async (text: string) => (await blobs.put(chunksOf(Buffer.from(text)), { bytesMax: 100 })).digest
  const tell = (type: string, version: string, digest: string) =>
    sweep.follow([{ type, data: { name: 'shop', version, digest } } as unknown as Recorded])
  const kept = async () => new Set((await blobs.list()).map(({ digest }) => digest))
  return { clock, sweep, put, tell, kept }
}

describe('bytes that no package has', () => {
  it('are swept when they have had time to be recorded', async () => {
    const { clock, sweep, put, kept } = await swept()
    const orphan = await put('orphan')
    await sweep.sweep()
    expect(await kept()).toEqual(new Set([orphan]))
    await clock.advance(orphanGraceMs + 1_000)
    await sweep.sweep()
    expect(await kept()).toEqual(new Set())
  })
  it('are those of packages that were given up, unless another has the same', async () => {
    const { clock, sweep, put, tell, kept } = await swept()
    const [shared, own] = [await put('shared'), await put('own')]
    tell('PackageUploaded', '1', shared)
    tell('PackageUploaded', '2', shared)
    tell('PackageUploaded', '3', own)
    tell('PackageRemoved', '1', shared)
    await clock.advance(orphanGraceMs + 1_000)
    await sweep.sweep()
    expect(await kept()).toEqual(new Set([shared, own]))
    tell('PackageRemoved', '2', shared)
    await sweep.sweep()
    expect(await kept()).toEqual(new Set([own]))
  })
  it('are looked for again and again until the service stops', async () => {
    const { clock, sweep, put, kept } = await swept()
    const stop = sweep.start()
    await put('orphan')
    await clock.advance(3_700_000)
    await expect.poll(kept).toEqual(new Set())
    await stop()
    expect(clock.timers).toBe(0)
  })
})
