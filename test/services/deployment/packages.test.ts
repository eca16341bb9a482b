import { describe, expect, it } from 'vitest'
import { deploymentStage, failure, type DeploymentStage } from './deploying.ts'

interface Brought {
  readonly packages?: readonly object[]
}

const digest = (letter: string) => letter.repeat(64)
const install = { id: 'install', kind: 'package', package: 'shop' }

const upload = (stage: DeploymentStage, version: string, letter = version.at(-1)!) => {
  const bytes = { digest: digest(letter), sizeBytes: 3, mediaType: 'application/gzip' }
  return stage.ask('deployment', 'AddPackage', { name: 'shop', version, ...bytes })
}
const remove = (stage: DeploymentStage, version: string) =>
  stage.ask('deployment', 'RemovePackage', { name: 'shop', version, reason: 'old' })
const refusalOf = (answer: object) => ('refused' in answer ? answer.refused : 'accepted')
const made = async (stage: DeploymentStage) =>
  (await stage.of('ReleaseCreated')).map(({ data }) => (data as Brought).packages)

async function begin(...versions: readonly string[]) {
  const stage = await deploymentStage()
  await stage.machine('m-1')
  for (const version of versions) await upload(stage, version)
  return stage
}

describe('a release with packages', () => {
  it('fixes which version a rule means, and its bytes, for ever', async () => {
    const stage = await begin('1.0', '1.1', '2.0')
    const steps = [
      { ...install, id: 'a' },
      { ...install, id: 'b', version: '1.*' },
      { ...install, id: 'c', version: 'release' },
    ]
    await stage.release('1.0', steps)
    await upload(stage, '2.1')
    const pin = (stepId: string, version: string) => ({
      ...{ stepId, name: 'shop', version, source: 'upload', digest: digest(version.at(-1)!), sizeBytes: 3 },
    })
    expect(await made(stage)).toEqual([[pin('a', '2.0'), pin('b', '1.1'), pin('c', '1.0')]])
    await stage.release('2.1', steps)
    expect((await made(stage))[1]).toEqual([pin('a', '2.1'), pin('b', '1.1'), pin('c', '2.1')])
  })
  it('says what is missing, and of which step', async () => {
    const stage = await begin('1.0')
    const make = (step: object) => stage.release('7', [{ ...install, ...step }])
    await expect(make({ version: 'release' })).rejects.toThrow(
      'step install: package shop has no version 7, the newest is 1.0: upload it, or change the step',
    )
    await expect(make({ package: 'other' })).rejects.toThrow('no version of package other is kept')
    await remove(stage, '1.0')
    await expect(make({ version: '1.0' })).rejects.toThrow('no version of package shop is kept')
    expect(await made(stage)).toEqual([])
  })
  it('takes a digest that is given for what is at an address, without looking there', async () => {
    const stage = await begin()
    await stage.release('1.0', [{ id: 'get', kind: 'package', url: 'http://127.0.0.1:9/x', digest: digest('e') }])
    const pin = { stepId: 'get', name: 'get', version: '1.0', source: 'address', digest: digest('e'), sizeBytes: null }
    expect(await made(stage)).toEqual([[pin]])
  })
  it('is refused when its address leads where this server does not go', async () => {
    const stage = await begin()
    const steps = [{ id: 'get', kind: 'package', url: 'http://127.0.0.1:9/x' }]
    await expect(stage.release('1.0', steps)).rejects.toThrow('step get: 127.0.0.1:9 leads to this server itself')
  })
  it('is answered as before when it is asked for again, though its package is gone', async () => {
    const stage = await begin('1.0', '1.1')
    await stage.release('1', [{ ...install, version: '1.0' }])
    await stage.release('2', [install])
    await remove(stage, '1.0')
    const again = await stage.ask('deployment', 'CreateRelease', { projectId: 'shop', version: '1', notes: '' })
    expect(refusalOf(again)).toBe('RELEASE_EXISTS')
  })
  it('that has none says nothing of them', async () => {
    const stage = await begin()
    await stage.release('1', [{ id: 'a' }])
    expect(await made(stage)).toEqual([undefined])
  })
})

describe('a package that a release refers to', () => {
  it('stays as long as it may be needed, and can be given up after that', async () => {
    const stage = await begin('1', '2', '3', '4')
    for (const version of ['1', '2', '3', '4']) await stage.release(version, [{ ...install, version: 'release' }])
    for (const version of ['1', '2', '3']) await stage.deploy(version)
    await stage.clock.settle()
    const removals = []
    for (const version of ['1', '2', '3', '4']) removals.push(refusalOf(await remove(stage, version)))
    expect(removals).toEqual(['accepted', 'PACKAGE_IN_USE', 'PACKAGE_IN_USE', 'PACKAGE_IN_USE'])
  })
  it('is known of after a restart as well', async () => {
    const stage = await begin('1', '2', '3')
    for (const version of ['1', '2', '3']) await stage.release(version, [{ ...install, version: 'release' }])
    stage.play = () => failure
    await stage.deploy('1')
    stage.play = () => null
    await stage.deploy('2')
    await stage.service[Symbol.asyncDispose]()
    await stage.begin()
    const pruned = await stage.ask('deployment', 'PrunePackage', { name: 'shop', keepNewest: 0, reason: 'room' })
    expect(pruned).toMatchObject({ result: { versions: ['1'] } })
  })
  it('is not given up while a release is made that fixes it', async () => {
    const stage = await begin('1', '2')
    await stage.release('0', [{ ...install, version: '1' }])
    await stage.release('1', [{ id: 'no-package' }])
    const about = { projectId: 'shop', process: { steps: [{ ...install, version: '1' }] }, expectedVersion: null }
    await stage.ask('deployment', 'ChangeProcess', about)
    const [release, removal] = await Promise.all([
      stage.ask('deployment', 'CreateRelease', { projectId: 'shop', version: '2', notes: '' }),
      remove(stage, '1'),
    ])
    // Whichever comes first, there is no release whose package is gone.
    expect([
      ['accepted', 'PACKAGE_IN_USE'],
      ['PACKAGE_UNKNOWN', 'accepted'],
    ]).toContainEqual([refusalOf(release), refusalOf(removal)])
  })
  it('stays beside the newest few, where no more are kept', async () => {
    const stage = await begin()
    await stage.service[Symbol.asyncDispose]()
    await stage.begin({ keepNewestPackages: 1 })
    await upload(stage, '1')
    await stage.release('1', [install])
    for (const version of ['2', '3']) await upload(stage, version)
    expect((await stage.of('PackageRemoved')).map(({ data }) => data)).toEqual([
      {
        ...{ name: 'shop', version: '2', digest: digest('2') },
        reason: 'no more than 1 are kept: no release refers to it, and 1 versions are newer',
      },
    ])
  })
  it('that is gone all the same makes its release impossible to deploy, and says so', async () => {
    const stage = await begin('1', '2')
    await stage.release('1', [{ ...install, version: 'release' }])
    await stage.release('2', [{ ...install, version: 'release' }])
    await remove(stage, '1')
    await expect(stage.deploy('1')).rejects.toThrow('the release brings shop 1, which was given up')
    await upload(stage, '1')
    const id = await stage.deploy('1')
    expect(await stage.outcome(id)).toEqual({ type: 'DeploymentSucceeded', 'm-1': 'succeeded' })
    const [created] = await stage.of('DeploymentCreated')
    expect((created!.data as Brought).packages).toMatchObject([{ name: 'shop', version: '1', digest: digest('1') }])
  })
})
