import { beforeEach, describe, expect, it } from 'vitest'
import type { Recorded } from '#contracts/message.ts'
import { PackageReferences } from '#services/deployment/package/references.ts'

let references: PackageReferences
let position: number
beforeEach(() => {
  references = new PackageReferences()
  position = 0
})

const recorded = (type: string, data: object) =>
  ({ type, data, meta: { position: (position += 1) } }) as unknown as Recorded
const happened = (type: string, data: object) => references.follow(recorded(type, data))
const pin = (version: string, source = 'upload') => ({
  ...{ stepId: 'install', name: 'shop', version: `p${version}`, source, digest: 'a'.repeat(64), sizeBytes: 1 },
})
const releaseOf = (version: string, packages: readonly object[] = [pin(version)]) => ({
  projectId: 'shop',
  version,
  packages,
})
const release = (version: string, packages?: readonly object[]) =>
  happened('ReleaseCreated', releaseOf(version, packages))
const begin = (version: string, more: object = {}) => {
  const deploymentId = `d${position}`
  const about = { deploymentId, projectId: 'shop', version, environmentId: 'production', kind: 'release' }
  happened('DeploymentCreated', { ...about, machineIds: null, ...more })
  return deploymentId
}
const end = (deploymentId: string, type = 'Succeeded', machines: Record<string, string> = {}) => {
  const outcomes = Object.entries(machines).map(([machineId, outcome]) => ({
    machineId,
    name: machineId,
    outcome,
    reason: null,
  }))
  happened(`Deployment${type}`, { deploymentId, outcomes })
}
const deploy = (version: string, machines?: Record<string, string>) => end(begin(version), 'Succeeded', machines)
const kept = () => [...references.versionsOf('shop')].toSorted()

describe('the packages that releases refer to', () => {
  it('are those of the newest release, deployed or not', () => {
    for (const version of ['1', '2', '3']) release(version)
    expect(kept()).toEqual(['p3'])
    expect(references.versionsOf('other').size).toBe(0)
  })
  it('are those of the last good release of an environment, and of the one before it', () => {
    for (const version of ['1', '2', '3', '4']) release(version)
    for (const version of ['1', '2', '3']) deploy(version)
    expect(kept()).toEqual(['p2', 'p3', 'p4'])
    deploy('2')
    expect(kept()).toEqual(['p2', 'p3', 'p4'])
  })
  it('are those of each environment', () => {
    for (const version of ['1', '2', '3', '4']) release(version)
    for (const version of ['3', '4']) deploy(version)
    end(begin('1', { environmentId: 'staging' }))
    expect(kept()).toEqual(['p1', 'p3', 'p4'])
  })
  it('are those of a release that an environment is pinned to, until it is no more', () => {
    for (const version of ['1', '2']) release(version)
    const override = (version: string | null) =>
      happened('ReleaseOverrideSet', { projectId: 'shop', environmentId: 'production', version, reason: 'x' })
    override('1')
    expect(kept()).toEqual(['p1', 'p2'])
    override(null)
    expect(kept()).toEqual(['p2'])
  })
  it('are those of what is being deployed, and no more when that came to nothing', () => {
    for (const version of ['1', '2']) release(version)
    const one = begin('1')
    expect(kept()).toEqual(['p1', 'p2'])
    end(one, 'Failed')
    expect(kept()).toEqual(['p2'])
  })
  it('are those of what a machine has, until it has another one or is gone', () => {
    for (const version of ['1', '2', '3', '4']) release(version)
    end(begin('1'), 'Failed', { a: 'succeeded', b: 'failed' })
    end(begin('2', { machineIds: ['b'] }), 'Succeeded', { b: 'succeeded' })
    expect(kept()).toEqual(['p1', 'p2', 'p4'])
    end(begin('3', { kind: 'automatic', machineIds: ['a'] }), 'Succeeded', { a: 'succeeded' })
    expect(kept()).toEqual(['p2', 'p3', 'p4'])
    happened('MachineDeregistered', { machineId: 'b' })
    expect(kept()).toEqual(['p3', 'p4'])
  })
  it('are no packages from addresses, of which the server has no bytes', () => {
    release('1', [pin('1', 'address')])
    expect(kept()).toEqual([])
  })
  it('are known before they come by in their order, and are then what they were', () => {
    const first = recorded('ReleaseCreated', releaseOf('1'))
    const second = recorded('ReleaseCreated', releaseOf('2'))
    references.anticipate([second])
    expect(kept()).toEqual(['p2'])
    references.follow(first)
    expect(kept()).toEqual(['p2'])
    references.follow(second)
    references.anticipate([first])
    expect(kept()).toEqual(['p2'])
  })
  it('are not held for ever by a deployment that is heard of too late', () => {
    for (const version of ['1', '2']) release(version)
    const created = recorded('DeploymentCreated', {
      ...{ deploymentId: 'd', projectId: 'shop', version: '1', environmentId: 'production', kind: 'release' },
      machineIds: null,
    })
    references.follow(created)
    end('d', 'Cancelled')
    references.anticipate([created])
    expect(kept()).toEqual(['p2'])
  })
})
