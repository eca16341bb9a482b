import { describe, expect, it } from 'vitest'
import type { Message } from '#contracts/message.ts'
import { MachineRow } from '#contracts/rows.ts'
import { machinesView } from '#services/query/views/machines.ts'
import * as f from '../facts.ts'
import { at, rowsOf } from './given.ts'

const nothing = () => undefined
const machine = (...facts: Message[]) => rowsOf(machinesView(nothing), facts).get('m-1') as MachineRow
const columns = machinesView(nothing).columns!

describe('a machine', () => {
  it('is shown as it registered', () => {
    const row = machine(f.registered('m-1'))
    expect(row).toEqual({
      ...{ id: 'm-1', name: 'm-1-name', environmentId: 'staging', roles: ['web'], registered: true, enabled: true },
      ...{ disabledReason: null, status: 'unknown', statusSince: null, evidence: null, transport: 'agent' },
      ...{ facts: expect.objectContaining({ hostname: 'h' }), attributes: { zone: 'a' }, releases: [], withheld: null },
      ...{ removal: null, registeredAt: at(1), changedAt: at(1), silentSince: null, failing: [], probe: null },
      ...{ quarantined: null, dirty: null, deferred: null },
    })
    expect(MachineRow.strict().parse(row)).toEqual(row)
  })
  it('without a key has no agent', () =>
    expect(machine(f.registered('m-1', { publicKey: null })).transport).toBe('none'))
  it('brings its facts up to date', () =>
    expect(machine(f.registered('m-1'), f.reregistered('m-1'))).toMatchObject({
      facts: { agentVersion: '2' },
      attributes: {},
      changedAt: at(2),
    }))
  it('is changed', () =>
    expect(
      machine(f.registered('m-1'), f.changed('m-1', { name: 'x', roles: ['db'], environmentId: 'moon' })),
    ).toMatchObject({
      ...{ name: 'x', roles: ['db'], environmentId: 'moon', registeredAt: at(1) },
    }))
  it('is disabled and enabled', () => {
    expect(machine(f.registered('m-1'), f.disabled('m-1'))).toMatchObject({ enabled: false, disabledReason: 'repair' })
    expect(machine(f.registered('m-1'), f.disabled('m-1'), f.enabled('m-1'))).toMatchObject({
      enabled: true,
      disabledReason: null,
    })
  })
  it('is removed, with cause and evidence, and keeps what it was', () =>
    expect(machine(f.registered('m-1'), f.disabled('m-1'), f.withheld('m-1'), f.removed('m-1'))).toMatchObject({
      ...{ registered: false, enabled: false, withheld: null, name: 'm-1-name' },
      removal: { at: at(4), cause: f.cause, evidence: f.evidence, policyVersion: 3, actor: 'tester' },
    }))
  it('returns by registering, and its removal stays known', () =>
    expect(machine(f.registered('m-1'), f.removed('m-1'), f.registered('m-1', { name: 'again' }))).toMatchObject({
      ...{ registered: true, name: 'again', registeredAt: at(3), removal: { at: at(2) } },
    }))
  it('is restored, under the name that it got', () =>
    expect(machine(f.registered('m-1'), f.removed('m-1'), f.restored('m-1', 'm-2-name'))).toMatchObject({
      ...{ registered: true, name: 'm-2-name', registeredAt: at(3) },
    }))
})

describe('the health of a machine', () => {
  it('is shown with its evidence and since when', () => {
    expect(machine(f.registered('m-1'), f.healthy('m-1'))).toMatchObject({
      status: 'healthy',
      statusSince: at(2),
      evidence: { kind: 'heartbeat' },
    })
    expect(machine(f.registered('m-1'), f.unavailable('m-1'))).toMatchObject({
      status: 'unavailable',
      evidence: { kind: 'heartbeat-missing' },
    })
  })
  it('stays what it is when a check comes late, but the evidence is shown', () =>
    expect(machine(f.registered('m-1'), f.healthy('m-1'), f.late('m-1'))).toMatchObject({
      ...{ status: 'healthy', statusSince: at(2), evidence: { kind: 'heartbeat-late' } },
    }))
  it('is unknown once it is forgotten', () =>
    expect(machine(f.healthy('m-1'), f.forgotten('m-1'))).toMatchObject({
      status: 'unknown',
      statusSince: null,
      evidence: null,
    }))
  it('is not lost when it is heard of before the registration', () => {
    expect(machine(f.healthy('m-1'))).toMatchObject({ registered: false, removal: null, status: 'healthy' })
    expect(machine(f.healthy('m-1'), f.registered('m-1'))).toMatchObject({
      registered: true,
      status: 'healthy',
      statusSince: at(1),
    })
  })
  it('does not raise the dead', () =>
    expect(machine(f.registered('m-1'), f.removed('m-1'), f.healthy('m-1'))).toMatchObject({
      registered: false,
      status: 'healthy',
    }))
})

describe('a withheld removal', () => {
  const past = [f.registered('m-1'), f.withheld('m-1')]
  it('is shown', () =>
    expect(machine(...past).withheld).toEqual({ share: 0.3, thresholdShare: 0.2, clearsWhen: 'fewer are silent' }))
  it.each([f.resumed('m-0', 'm-1'), f.requested('m-1'), f.abandoned('m-1')].map((fact) => [fact.type, fact] as const))(
    'is over with %s',
    (_, fact) => expect(machine(...past, fact).withheld).toBeNull(),
  )
  it('of a machine that is gone already says nothing', () =>
    expect(machine(f.registered('m-1'), f.removed('m-1'), f.withheld('m-1')).withheld).toBeNull())
  it('that is over once more changes nothing', () =>
    expect(machine(...past, f.resumed('m-1'), f.resumed('m-1')).changedAt).toBe(at(3)))
})

describe('the releases of a machine', () => {
  const other = '11890a5d-ac96-774b-bcce-b302099a8057'
  const install = { projectId: 'shop', version: '1.0.0', deploymentId: f.deploymentId }
  it('are those of deployments that succeeded on it', () =>
    expect(machine(f.registered('m-1'), f.created(), f.succeeded(['m-1'])).releases).toEqual([
      { ...install, at: at(3) },
    ]))
  it('are also those of deployments that failed elsewhere, or were cancelled after it', () => {
    expect(machine(f.created(), f.failed(['m-1'], ['m-2'])).releases).toMatchObject([install])
    expect(machine(f.created(), f.failed([], ['m-1']))).toBeUndefined()
    expect(machine(f.registered('m-1'), f.created(), f.cancelled(['m-1'])).releases).toEqual([])
  })
  it('are one of each project, the latest', () => {
    const next = f.created({ deploymentId: other, version: '2.0.0' })
    const blog = f.created({ deploymentId: other, projectId: 'blog' })
    const past = [f.created(), f.succeeded(['m-1'])]
    expect(machine(...past, next, f.succeeded(['m-1'], other)).releases).toMatchObject([
      { projectId: 'shop', version: '2.0.0' },
    ])
    expect(machine(...past, blog, f.succeeded(['m-1'], other)).releases.map(({ projectId }) => projectId)).toEqual([
      'shop',
      'blog',
    ])
  })
  it('are found when the deployment began before this process did', () => {
    const before = rowsOf(machinesView(nothing), [f.created()])
    const after = rowsOf(
      machinesView((key) => before.get(key)),
      [f.registered('m-1'), f.succeeded(['m-1'])],
    )
    expect((after.get('m-1') as MachineRow).releases).toMatchObject([install])
  })
  it('stay when the machine is removed and returns', () =>
    expect(
      machine(f.created(), f.registered('m-1'), f.succeeded(['m-1']), f.removed('m-1'), f.registered('m-1')).releases,
    ).toMatchObject([install]))
  it('leave nothing behind of a deployment that has ended', () =>
    expect([...rowsOf(machinesView(nothing), [f.created(), f.succeeded(['m-1'])]).keys()]).toEqual(['m-1']))
})

describe('what machines are listed and counted by', () => {
  const columnsOf = (...facts: Message[]) =>
    Object.fromEntries(Object.entries(columns).map(([name, value]) => [name, value(machine(...facts))]))
  const tally = (...facts: Message[]) => machinesView(nothing).tally!(machine(...facts))

  it('is told of a registered one', () => {
    expect(columnsOf(f.registered('m-1', { name: 'Web' }), f.created(), f.succeeded(['m-1']))).toEqual({
      ...{ registered: 1, environmentId: 'staging', status: 'unknown', enabled: 1, roles: ' web ', search: 'web m-1' },
      ...{ removedAt: null, name: 'Web', registeredAt: at(1), installed: ' shop@1.0.0 ' },
    })
    expect(tally(f.registered('m-1'), f.healthy('m-1'))).toBe('staging healthy')
    expect(tally(f.registered('m-1'), f.disabled('m-1'), f.withheld('m-1'))).toBe('staging unknown disabled withheld')
    expect(tally(f.registered('m-1'), f.quarantined('m-1'), f.deferred('m-1'))).toBe(
      'staging unknown deferred quarantined',
    )
  })
  it('is told of a removed one', () => {
    expect(columnsOf(f.registered('m-1'), f.removed('m-1'))).toMatchObject({
      registered: 0,
      removedAt: at(2),
      name: null,
    })
    expect(tally(f.registered('m-1'), f.removed('m-1'))).toBeNull()
  })
  it('leaves out one that never was registered, and what is no machine', () => {
    expect(columnsOf(f.healthy('m-1'))).toMatchObject({ registered: null, removedAt: null })
    const cargo = rowsOf(machinesView(nothing), [f.created()]).get(`@${f.deploymentId}`)!
    expect(Object.values(columns).map((value) => value(cargo))).toEqual(Object.keys(columns).map(() => null))
    expect(machinesView(nothing).tally!(cargo)).toBeNull()
  })
})
