import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Answer } from '#contracts/command.ts'
import { openVault } from '#libs/vault/open.ts'
import { systemClock } from '#libs/systemClock.ts'
import { deploymentRoutes } from '#services/deployment/routes.ts'
import { as, testHttp } from '#test/support/http.ts'
import { DeploymentStage } from './deploying.ts'

const value = 'not-for-anyones-eyes'
const url = '/v1/projects/shop/variables'
const secret = (more: object = {}) => ({ variables: [{ name: 'S', sensitive: true, ...more }] })

async function newVault() {
  const data = mkdtempSync(join(tmpdir(), 'remuda-secrets-'))
  onTestFinished(() => rmSync(data, { recursive: true, force: true }))
  return openVault(data, {}, systemClock)
}

/** The service with its routes before it, and a vault that both have. */
async function begin(other?: Awaited<ReturnType<typeof newVault>>) {
  const vault = await newVault()
  const stage = new DeploymentStage()
  await stage.environment()
  await stage.begin({ vault: other ?? vault })
  const sent: unknown[] = []
  const app = await testHttp((http) => {
    const ask = async (service: Parameters<typeof stage.ask>[0], { type, data }: { type: string; data: unknown }) => {
      sent.push(data)
      return await settled(stage, stage.ask(service, type, data as object))
    }
    return void http.register(deploymentRoutes({ ask, vault }))
  })
  const send = async (method: 'PUT' | 'POST', address: string, payload: object = {}) => {
    const reply = await app.inject({ method, url: address, payload, headers: as('writer') })
    return { status: reply.statusCode, body: reply.json<Record<string, unknown>>() }
  }
  await stage.release('0.1', [{ id: 'install' }])
  /** What the machine is handed for its first attempt. */
  const order = async (version: string): Promise<Answer> => {
    const deploymentId = await stage.deploy(version)
    const taskId = `${deploymentId}.install.m-1.1`
    return settled(stage, stage.ask('deployment', 'GetWorkOrder', { deploymentId, taskId, machineId: 'm-1' }))
  }
  return { stage, vault, sent, send, order, told: async () => JSON.stringify([sent, await stage.events()]) }
}

/** Files are read in real time, while the clock of the stage stands still. */
async function settled<Result>(stage: DeploymentStage, work: Promise<Result>): Promise<Result> {
  let isOver = false
  const over = work.finally(() => (isOver = true))
  over.catch(() => {})
  while (!isOver) {
    await systemClock.sleep(5)
    await stage.clock.settle()
  }
  return over
}

const release = ({ stage }: Awaited<ReturnType<typeof begin>>, version: string) =>
  stage.ask('deployment', 'CreateRelease', { projectId: 'shop', version, notes: '' })

describe('a sensitive variable', () => {
  it('goes to the machine that needs it, and nowhere else', async () => {
    const on = await begin()
    await on.stage.machine('m-1')
    expect(await on.send('PUT', url, secret({ value }))).toMatchObject({ status: 200 })
    await release(on, '1.0')
    expect(await on.order('1.0')).toMatchObject({
      result: { order: { environment: { S: value }, sensitive: ['S'] } },
    })
    expect(await on.told()).not.toContain(value)
    expect(await on.stage.types('project-shop')).toEqual(
      expect.arrayContaining(['SecretSet', 'VariablesChanged']) as string[],
    )
  })

  it('has in a release the value of then', async () => {
    const on = await begin()
    await on.stage.machine('m-1')
    await on.send('PUT', url, secret({ value: 'older value' }))
    await release(on, '1.0')
    await on.send('PUT', url, secret({ value: 'newer value' }))
    await release(on, '2.0')
    expect(await on.order('1.0')).toMatchObject({ result: { order: { environment: { S: 'older value' } } } })
  })

  it('that was destroyed fails the task that needs it, by its name, at once', async () => {
    const on = await begin()
    await on.stage.machine('m-1')
    await on.send('PUT', url, secret({ value }))
    await release(on, '1.0')
    expect(await on.send('POST', `${url}/S/destroy`)).toMatchObject({ status: 200 })
    const detail = 'the value of S has been destroyed'
    expect(await on.order('1.0')).toEqual({ refused: 'SECRET_DESTROYED', detail })
    expect((await on.stage.of('TaskFailed')).map(({ data }) => data)).toMatchObject([
      { reason: 'bad-variables', detail: `SECRET_DESTROYED: ${detail}` },
    ])
    expect(await on.send('POST', `${url}/S/destroy`)).toMatchObject({ status: 200 })
    expect(await on.stage.of('SecretDestroyed')).toHaveLength(1)
  })

  it('can be set again when it was destroyed', async () => {
    const on = await begin()
    await on.stage.machine('m-1')
    await on.send('PUT', url, secret({ value }))
    await on.send('POST', `${url}/S/destroy`)
    await on.send('PUT', url, secret({ value: 'another' }))
    await release(on, '1.0')
    expect(await on.order('1.0')).toMatchObject({ result: { order: { environment: { S: 'another' } } } })
  })

  it.each([
    ['too short', secret({ value: 'abc' }), 'SECRET_TOO_SHORT', 422],
    ['too short on every line', secret({ value: 'ab\n cd \n' }), 'SECRET_TOO_SHORT', 422],
    ['not there', secret(), 'SECRET_VALUE_MISSING', 422],
    ['not there, of one that is not sensitive', { variables: [{ name: 'S' }] }, 'REQUEST_INVALID', 400],
  ])('is refused when its value is %s', async (_, body, code, status) => {
    const on = await begin()
    expect(await on.send('PUT', url, body)).toMatchObject({ status, body: { code } })
  })

  it('is taken back from the vault when the change is refused', async () => {
    const on = await begin()
    const both = {
      variables: [
        { name: 'S', sensitive: true, value },
        { name: 'A', value: '#{B}' },
      ],
    }
    const refused = await on.send('PUT', url, both)
    expect(refused).toMatchObject({ status: 422, body: { code: 'VARIABLES_INVALID' } })
    expect(JSON.stringify(refused)).not.toContain(value)
    const owner = {
      projectId: 'shop',
      name: 'S',
      scope: JSON.stringify({ environments: [], roles: [], machines: [], steps: [] }),
    }
    const { variables } = on.sent[0] as { variables: [{ secret: { secretId: string; version: number } }] }
    expect(await on.vault.read(owner, variables[0].secret)).toBe('unreadable')
  })

  it('is refused where the services do not share a vault', async () => {
    const on = await begin(await newVault())
    expect(await on.send('PUT', url, secret({ value }))).toMatchObject({
      status: 409,
      body: { code: 'SECRET_UNREADABLE', detail: expect.stringContaining('REMUDA_VAULT_DIR') as string },
    })
  })

  it('that nobody has can not be destroyed', async () => {
    const on = await begin()
    expect(await on.send('POST', `${url}/S/destroy`)).toMatchObject({ status: 404, body: { code: 'VARIABLE_UNKNOWN' } })
    const unknown = await on.send('POST', '/v1/projects/none/variables/S/destroy')
    expect(unknown).toMatchObject({ status: 404, body: { code: 'PROJECT_UNKNOWN' } })
  })
})
