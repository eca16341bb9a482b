import { lstatSync, readdirSync, readlinkSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Releases } from '#services/agent/packages/releases.ts'
import { createVirtualClock } from '#test/support/virtualClock.ts'

const which = (version: string) => ({
  projectId: 'shop',
  name: 'shop',
  version,
  digest: version.padStart(8, '0') + 'f'.repeat(56),
})

async function start() {
  const root = await mkdtemp(join(tmpdir(), 'remuda-releases-'))
  onTestFinished(() => rm(root, { recursive: true, force: true }))
  const clock = createVirtualClock()
  const releases = new Releases(root, clock)
  const make = (version: string) => mkdir(releases.folderOf(which(version)), { recursive: true })
  /** Makes a release and has it current, a second after what was before. */
  const activate = async (version: string) => {
    await make(version)
    await clock.advance(1_000)
    const previous = await releases.before(which(version))
    await releases.activate(which(version))
    return [basename(releases.folderOf(which(version))), previous && basename(previous)]
  }
  const project = join(root, 'shop', 'shop')
  const links = () => ['current', 'previous'].map((link) => readlinkSync(join(project, link)))
  const names = () => readdirSync(project).filter((name) => lstatSync(join(project, name)).isDirectory())
  return { releases, root, project, make, activate, links, names }
}

describe('the releases of a machine', () => {
  it('have a current one and the one before, also when they go back and forth', async () => {
    const { activate, links } = await start()
    expect(await activate('1')).toEqual(['1-00000001', null])
    expect(await activate('2')).toEqual(['2-00000002', '1-00000001'])
    expect(await activate('2')).toEqual(['2-00000002', '1-00000001'])
    expect(await activate('1')).toEqual(['1-00000001', '2-00000002'])
    expect(links()).toEqual(['1-00000001', '2-00000002'])
  })
  it('are taken away but for those last in use', async () => {
    const { releases, activate, make, names } = await start()
    for (const version of ['1', '2', '3', '4', '5']) await activate(version)
    await releases.prune(which('1'), 3)
    expect(names()).toEqual(['3-00000003', '4-00000004', '5-00000005'])
    await activate('3')
    await make('6')
    await releases.prune(which('1'), 2)
    expect(names()).toEqual(['3-00000003', '5-00000005'])
  })
  it('never lose the current or the previous one, however few may stay', async () => {
    const { releases, activate, names } = await start()
    for (const version of ['1', '2']) await activate(version)
    await releases.prune(which('1'), 0)
    expect(names()).toEqual(['1-00000001', '2-00000002'])
    expect(await releases.isInUse(which('1').digest)).toBe(true)
    expect(await releases.isInUse(which('3').digest)).toBe(false)
  })
  it('are cleared of what a crash has left, and of nothing else', async () => {
    const { releases, project, activate } = await start()
    await activate('1')
    await mkdir(join(project, '.partial-x', 'deep'), { recursive: true })
    await mkdir(join(project, '.gone-y'))
    await writeFile(join(project, 'note of a person'), '')
    await releases.prune(which('1'), 3)
    expect(readdirSync(project).toSorted()).toEqual(['1-00000001', 'current', 'note of a person'])
  })
  it('forget a previous one that somebody has taken away', async () => {
    const { releases, activate } = await start()
    await activate('1')
    await activate('2')
    await rm(releases.folderOf(which('1')), { recursive: true })
    expect(await activate('2')).toEqual(['2-00000002', null])
  })
  it('are taken away when their trial did not end well, unless somebody works with them', async () => {
    const { releases, project, activate, make } = await start()
    await activate('1')
    await releases.begin(which('2'))
    await make('2')
    const letGo = releases.hold(which('2'))
    await releases.endTrials(which('1'))
    expect(await releases.has(which('2'))).toBe(true)
    letGo()
    await releases.endTrials(which('1'))
    expect(await releases.has(which('2'))).toBe(false)
    await releases.begin(which('2'))
    await make('2')
    await releases.activate(which('2'))
    await releases.endTrials(which('1'))
    expect(await releases.has(which('2'))).toBe(true)
    expect(readdirSync(project).filter((name) => name.startsWith('.trial'))).toEqual([])
  })
  it('stay as long as somebody works with them, however few may', async () => {
    const { releases, activate, names } = await start()
    for (const version of ['1', '2', '3']) await activate(version)
    const letGo = releases.hold(which('1'))
    await releases.prune(which('1'), 2)
    expect(names()).toHaveLength(3)
    letGo()
    await releases.prune(which('1'), 2)
    expect(names()).toEqual(['2-00000002', '3-00000003'])
  })
})
