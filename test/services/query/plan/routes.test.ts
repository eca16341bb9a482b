import { describe, expect, it } from 'vitest'
import { PlanReply } from '#contracts/planRows.ts'
import { api } from '../api.ts'
import * as f from '../facts.ts'

const path = `/v1/deployments/${f.deploymentId}/plan`

async function changed() {
  const stage = await api()
  await stage.tell(
    `deployment-${f.deploymentId}`,
    ...[f.created(), f.started(), f.evaluated(['m-1', 'm-2'], ['m-3'])],
    ...[f.stepStarted(), f.excluded('m-2', 'failed'), f.stepEnded('StepSkipped', 'check')],
  )
  const plan = async (query = '') => PlanReply.loose().parse((await stage.get(path + query)).body)
  return { ...stage, plan }
}

describe('the plan of a deployment', () => {
  it('is told as it stands, with each change and why', async () => {
    const { plan } = await changed()
    const { version, latestVersion, targets, changes, difference } = await plan()
    expect([version, latestVersion]).toEqual([4, 4])
    expect(targets).toEqual([{ machineId: 'm-1', name: 'm-1-name', roles: ['web'] }])
    expect(changes.map(({ version: at, why }) => [at, why])).toEqual([
      [1, 'made of the 2 steps of the release'],
      [2, 'the targets were chosen: 2 let in, 1 left out'],
      [3, 'm-2-name left out: failed: no answer'],
      [4, 'step check left out: because'],
    ])
    expect(difference).toMatchObject({ against: 3, steps: [{ id: 'check', reason: 'because' }] })
  })
  it('is told as it stood, until the next change', async () => {
    const { plan } = await changed()
    expect(await plan('?version=1')).toMatchObject({ version: 1, targets: [], changes: [{ version: 1 }] })
    expect((await plan('?version=2')).targets.map(({ machineId }) => machineId)).toEqual(['m-1', 'm-2'])
    expect((await plan('?version=4&against=2')).difference).toMatchObject({
      against: 2,
      removed: [{ machineId: 'm-2', name: 'm-2-name', reason: 'failed: no answer', version: 3 }],
    })
  })
  it('has no other versions', async () => {
    const { get } = await changed()
    for (const query of ['?version=5', '?against=9'])
      expect((await get(path + query)).body).toMatchObject({ status: 404, code: 'PLAN_VERSION_UNKNOWN' })
    expect((await get(`${path}?version=0`)).status).toBe(400)
  })
})
