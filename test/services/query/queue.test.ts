import { describe, expect, it } from 'vitest'
import { DeploymentRow } from '#contracts/rows.ts'
import { uuidOf } from '#libs/ids.ts'
import { api } from './api.ts'
import * as f from './facts.ts'

const held = (deploymentId: string, reason: string, until: number | null = null) => ({
  type: 'DeploymentHeld',
  data: { deploymentId, reason, detail: 'because', until },
})

/** Deployments in line, each with its priority, the first of them started. */
async function queued(...priorities: readonly (number | undefined)[]) {
  const stage = await api()
  await stage.tell('environment-staging', f.environmentCreated())
  const ids = priorities.map((_, at) => uuidOf(`deployment ${at}`))
  for (const [at, priority] of priorities.entries())
    await stage.tell(
      `deployment-${ids[at]}`,
      f.created({ deploymentId: ids[at]!, ...(priority !== undefined && { priority }) }),
      at === 0 ? f.started(ids[at]) : held(ids[at]!, 'behind'),
    )
  const places = async () => {
    const { body } = await stage.get('/v1/deployments?state=queued')
    const rows: readonly DeploymentRow[] = body.items.map((row: unknown) => DeploymentRow.strict().parse(row))
    return Object.fromEntries(rows.map(({ id, waiting }) => [ids.indexOf(id), waiting?.position]))
  }
  return { ...stage, ids, places }
}

describe('a deployment in the queue', () => {
  it('says why it waits, and at which place: by priority, then by creation', async () => {
    const { get, ids, places } = await queued(undefined, undefined, 9, 5, 0)
    expect(await places()).toEqual({ 1: 2, 2: 1, 3: 3, 4: 4 })
    expect((await get(`/v1/deployments/${ids[3]}`)).body).toMatchObject({
      priority: 5,
      waiting: { reason: 'behind', detail: 'because', until: null, position: 3 },
    })
  })
  it('moves up when one before it leaves', async () => {
    const { ids, places, tell } = await queued(undefined, undefined, undefined)
    await tell(`deployment-${ids[1]}`, f.cancelled([], ids[1]))
    expect(await places()).toEqual({ 2: 1 })
  })
  it('has no place among those of other environments', async () => {
    const { get, tell } = await queued(undefined, undefined)
    const id = uuidOf('elsewhere')
    await tell(`deployment-${id}`, f.created({ deploymentId: id, environmentId: 'production' }), held(id, 'behind'))
    expect((await get(`/v1/deployments/${id}`)).body.waiting.position).toBe(1)
  })
})

describe('a deployment that runs', () => {
  it('waits for nobody, or says for whom, at no place of the queue', async () => {
    const { get, ids, tell } = await queued(undefined)
    const shown = async () => (await get(`/v1/deployments/${ids[0]}`)).body.waiting
    expect(await shown()).toBeNull()
    await tell(`deployment-${ids[0]}`, held(ids[0]!, 'machine-busy', 9_000))
    expect(await shown()).toMatchObject({ reason: 'machine-busy', position: null, until: '1970-01-01T00:00:09.000Z' })
    await tell(`deployment-${ids[0]}`, { type: 'DeploymentResumed', data: { deploymentId: ids[0] } })
    expect(await shown()).toBeNull()
    await tell(`deployment-${ids[0]}`, held(ids[0]!, 'machine-busy'), f.failed([], [], ids[0]))
    expect(await shown()).toBeNull()
  })
})
