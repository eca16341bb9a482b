import { describe, expect, it } from 'vitest'
import { IncidentRow, ObservationGapRow } from '#contracts/fleetRows.ts'
import { api, type Row } from './api.ts'
import * as f from './facts.ts'

const ids = (rows: readonly Row[]) => rows.map(({ id }) => id)

async function trouble() {
  const it = await api()
  const { tell } = it
  await tell('environment-staging', f.environmentCreated())
  await tell('policy-staging', f.massFailure('i-1', ['a', 'b', 'c']))
  await tell('policy-staging', f.heldBy('i-1', 'a'), f.heldBy('i-1', 'b'), f.heldBy('i-1', 'a'), f.withheld('z'))
  await tell('policy-moon', f.massFailure('i-2', ['d'], 'moon'))
  return it
}

describe('mass failures', () => {
  it('are listed, the latest first, with how many machines they hold', async () => {
    const { get, all, tell } = await trouble()
    await tell('policy-staging', f.cleared('i-1'))
    const rows = await all('/v1/incidents', 1)
    expect(ids(rows)).toEqual(['i-2', 'i-1'])
    for (const row of rows) expect(IncidentRow.strict().parse(row)).toEqual(row)
    expect(rows[1]).toMatchObject({
      ...{ state: 'closed', clearedBy: 'recovery', domain: { attribute: 'zone', value: 'a' }, share: 0.3 },
      silent: { count: 3, machineIds: ['a', 'b', 'c'] },
      held: { count: 2, machineIds: ['a', 'b'] },
    })
    expect((await get('/v1/incidents/i-1')).body).toEqual(rows[1])
    expect(await get('/v1/incidents/i-9')).toMatchObject({ status: 404, body: { code: 'INCIDENT_UNKNOWN' } })
  })
  it.each([
    ['environment=staging', ['i-1']],
    ['state=open', ['i-2']],
    ['state=closed', ['i-1']],
    ['state=open&environment=staging', []],
  ])('are found by %s', async (filter, found) => {
    const { get, tell } = await trouble()
    await tell('policy-staging', f.cleared('i-1'))
    expect(ids((await get(`/v1/incidents?${filter}`)).body.items)).toEqual(found)
  })
  it('name some of very many machines, and count all', async () => {
    const { get, tell } = await api()
    const many = Array.from({ length: 1_000 }, (_, at) => `m-${at}`)
    await tell('policy-staging', f.massFailure('i-1', many))
    await tell('policy-staging', ...many.map((id) => f.heldBy('i-1', id)))
    const { silent, held } = (await get('/v1/incidents/i-1')).body
    expect([silent.count, silent.machineIds.length]).toEqual([1_000, 200])
    expect([held.count, held.machineIds.length]).toEqual([1_000, 200])
  })
})

describe('breaks in what is observed', () => {
  it('are listed, the latest first, open or ended', async () => {
    const { all, tell } = await api()
    await tell('observer-health', f.gapStarted('health', 1_000), f.gapEnded('health', 1_000, 5_000))
    await tell('observer-health.1', f.gapStarted('health.1', 4_000))
    const rows = await all('/v1/observation-gaps', 1)
    for (const row of rows) expect(ObservationGapRow.strict().parse(row)).toEqual(row)
    expect(rows).toMatchObject([
      { observer: 'health.1', reason: 'stopped', startedAt: '1970-01-01T00:00:04.000Z', endedAt: null },
      { observer: 'health', startedAt: '1970-01-01T00:00:01.000Z', endedAt: '1970-01-01T00:00:05.000Z' },
    ])
  })
})

it('the overview counts what is wrong now', async () => {
  const { get, tell } = await trouble()
  await tell('policy-staging', f.cleared('i-1'))
  await tell('observer-health', f.gapStarted('health', 1_000), f.gapEnded('health', 1_000, 5_000))
  await tell('observer-health', f.gapStarted('health', 9_000))
  for (const id of ['a', 'b', 'c']) await tell(`machine-${id}`, f.registered(id))
  await tell('machine-a', f.quarantined('a'))
  await tell('machine-b', f.quarantined('b'), f.letOut('b'))
  await tell('policy-staging', f.deferred('c'))
  const { body } = await get('/v1/overview')
  expect(body).toMatchObject({ openIncidents: 1, openGaps: 1, quarantined: 1, deferred: 1, withheld: 0 })
})
