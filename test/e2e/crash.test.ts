import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { DeploymentRow, MachineRow } from '#contracts/rows.ts'
import { Remuda, until } from '#test/support/remuda.ts'
import { expectSoundLog } from '#test/support/soundLog.ts'

const crashes = 12
const agentCrashes = 10
const names = ['web-1', 'web-2', 'web-3']
const steps = ['one', 'two', 'three', 'four']
const limitMs = 120_000

// Each step writes a line of its own: what ran twice is there twice, whatever anybody says.
const script = 'echo "$REMUDA_DEPLOYMENT_ID $REMUDA_STEP" >> "$HOME/ran.log"; sleep 0.3; echo "$REMUDA_STEP is done"'
const policy = {
  health: { heartbeatEveryMs: '500ms', lateAfterMs: '30s', unavailableAfterMs: '60s' },
  automaticDeployments: { enabled: false },
}

describe('a server that is killed in the middle of deployments', () => {
  it(`loses nothing and runs nothing twice in ${crashes} crashes`, { timeout: 300_000 }, async () => {
    await using remuda = await Remuda.start()
    await startFleet(remuda)
    const ids: string[] = []
    for (let crash = 0; crash < crashes; crash++) {
      if (crash % 4 === 0) ids.push(await deploy(remuda))
      await sleep(momentMs(crash))
      await remuda.server!.end('SIGKILL')
      await remuda.startServer()
    }

    for (const row of await ended(remuda, ids)) {
      expect(row.state, row.reason ?? '').toBe('succeeded')
      expect(row.targets.map(({ outcome }) => outcome)).toEqual(names.map(() => 'succeeded'))
    }
    for (const name of names) expect(ranOn(remuda, name).toSorted(), name).toEqual(linesOf(ids).toSorted())
    await expectSoundLog((address) => remuda.ask('GET', address))
  })
})

describe('an agent that is killed in the middle of deployments', () => {
  it(`runs nothing twice in ${agentCrashes} crashes, and every deployment ends`, { timeout: 300_000 }, async () => {
    await using remuda = await Remuda.start()
    const token = await startFleet(remuda)
    const ids: string[] = []
    for (let crash = 0; crash < agentCrashes; crash++) {
      ids.push(await deploy(remuda))
      await sleep(momentMs(crash))
      await remuda.agents.get('web-1')!.end('SIGKILL')
      startMachine(remuda, 'web-1', token)
      await ended(remuda, ids.slice(-1))
    }

    const rows = await ended(remuda, ids)
    for (const { targets } of rows) expect(targets.map(({ outcome }) => outcome)).not.toContain('included')
    // What was cut off says so and is not begun again by itself, so not every deployment can have succeeded.
    expect(rows.map(({ state }) => state)).toContain('failed')
    const whole = rows.filter(({ state }) => state === 'succeeded').map(({ id }) => id)
    for (const name of names) {
      const ran = ranOn(remuda, name)
      expect(ran.toSorted(), name).toEqual([...new Set(ran)].toSorted())
      expect(ran, name).toEqual(expect.arrayContaining(linesOf(whole)))
    }
    await expectSoundLog((address) => remuda.ask('GET', address))
  })
})

/** Anywhere between the first task and the next step; spread, so that every crash finds another moment. */
const momentMs = (crash: number) => 80 + ((crash * 173) % 900)

const linesOf = (ids: readonly string[]) => ids.flatMap((id) => steps.map((step) => `${id} ${step}`))

const ranOn = (remuda: Remuda, name: string) =>
  readFileSync(join(remuda.folder, name, 'ran.log'), 'utf8')
    .trim()
    .split('\n')

const startMachine = (remuda: Remuda, name: string, token: string) =>
  remuda.startAgent(name, ['--token', token, '--role', 'web'])

/** Healthy machines and a release for them. Gives the join token. */
async function startFleet(remuda: Remuda): Promise<string> {
  await remuda.ask('POST', 'environments', { id: 'production', policy })
  const token = await remuda.joinToken('production', ['web'])
  for (const name of names) startMachine(remuda, name, token)
  await remuda.ask('POST', 'projects', { id: 'shop' })
  const process = { steps: steps.map((id) => ({ id, kind: 'script', roles: ['web'], script, window: 2 })) }
  await remuda.ask('PUT', 'projects/shop/process', process)
  await remuda.ask('POST', 'projects/shop/releases', { version: '1.0.0' })
  await until('all machines are healthy', limitMs, async () => {
    const { items } = await remuda.ask<{ items: MachineRow[] }>('GET', 'machines?status=healthy')
    return items.length === names.length
  })
  return token
}

async function deploy(remuda: Remuda): Promise<string> {
  const wanted = { projectId: 'shop', version: '1.0.0', environmentId: 'production' }
  const { id, position } = await remuda.ask<{ id: string; position: number }>('POST', 'deployments', wanted)
  await remuda.ask('GET', `deployments/${id}?minPosition=${position}`)
  return id
}

const ended = (remuda: Remuda, ids: readonly string[]) =>
  until('every deployment has ended', limitMs, async () => {
    const all = await Promise.all(ids.map((id) => remuda.ask<DeploymentRow>('GET', `deployments/${id}`)))
    return all.every(({ endedAt }) => endedAt !== null) && all
  })
