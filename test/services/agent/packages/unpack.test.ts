import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { PackageFault } from '#services/agent/packages/fault.ts'
import type { UnpackLimits } from '#services/agent/packages/limits.ts'
import { unpack } from '#services/agent/packages/unpack.ts'
import { hostileArchives, smallLimits } from './corpus.ts'
import { goodArchives, leftOut } from './goodArchives.ts'

/** All that is in a folder, by path: modes, contents and where links lead. */
export function contentsOf(root: string, below = ''): Record<string, string> {
  return Object.assign(
    {},
    ...readdirSync(join(root, below)).map((name) => {
      const path = below === '' ? name : `${below}/${name}`
      const is = lstatSync(join(root, path))
      if (is.isSymbolicLink()) return { [path]: `-> ${readlinkSync(join(root, path))}` }
      if (is.isDirectory()) return { [path]: 'folder', ...contentsOf(root, path) }
      return { [path]: `${(is.mode & 0o7777).toString(8)} ${readFileSync(join(root, path), 'utf8')}` }
    }),
  ) as Record<string, string>
}

/** A place with an archive, something outside that must stay as it is, and a folder for releases. */
async function place(bytes: Uint8Array, limits: UnpackLimits = smallLimits) {
  const root = await mkdtemp(join(tmpdir(), 'remuda-unpack-'))
  onTestFinished(() => rm(root, { recursive: true, force: true }))
  const releases = join(root, 'releases')
  await mkdir(releases)
  const archive = join(root, 'archive')
  await writeFile(archive, bytes)
  await writeFile(join(root, 'outside'), 'as it was')
  await writeFile(join(releases, 'outside'), 'as it was')
  const target = join(releases, '1.0.0')
  const signal = new AbortController().signal
  const run = () => unpack(archive, target, join(releases, '.partial'), { limits, signal })
  return { root, releases, target, run }
}

describe('an archive that means harm', () => {
  it('comes in many kinds', () => {
    expect(hostileArchives.length).toBeGreaterThanOrEqual(60)
    expect(new Set(hostileArchives.map(({ what }) => what)).size).toBe(hostileArchives.length)
  })

  it.each(hostileArchives)('is refused, and everything is as before: $what', async ({ bytes, code }) => {
    const { root, run } = await place(bytes)
    const before = contentsOf(root)
    const fault = await run().then(
      () => 'unpacked',
      (error: unknown) => error,
    )
    expect(fault).toBeInstanceOf(PackageFault)
    expect((fault as PackageFault).code, String(fault)).toBe(code)
    expect(String(fault)).not.toMatch(/[\0-\x1f\x7f-\x9f\u202e]/)
    expect(contentsOf(root)).toEqual(before)
  })
})

describe('an archive that means well', () => {
  it.each(goodArchives)('is unpacked: $what', async ({ bytes, holds }) => {
    const { releases, target, run } = await place(bytes())
    await run()
    expect(contentsOf(target)).toEqual(holds)
    expect(readdirSync(releases).toSorted()).toEqual(['1.0.0', 'outside'])
  })

  for (const what of leftOut) it.skip(`is not tried here: ${what}`, () => {})

  it('leaves nothing when nobody wants it any more', async () => {
    const { root, target } = await place(goodArchives[0]!.bytes())
    const before = contentsOf(root)
    const stopped = unpack(join(root, 'archive'), target, join(root, 'releases', '.partial'), {
      limits: smallLimits,
      signal: AbortSignal.abort('cancelled'),
    })
    await expect(stopped).rejects.toBe('cancelled')
    expect(contentsOf(root)).toEqual(before)
  })
})
