import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { DeploymentRow, MachineRow } from '#contracts/rows.ts'
import { Remuda, until } from '#test/support/remuda.ts'
import { expectSoundLog } from '#test/support/soundLog.ts'

const crashes = 12
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
    await remuda.ask('POST', 'environments', { id: 'production', policy })
    const token = await remuda.joinToken('production', ['web'])
    for (const name of names) remuda.startAgent(name, ['--token', token, '--role', 'web'])
    await remuda.ask('POST', 'projects', { id: 'shop' })
    const process = { steps: steps.map((id) => ({ id, kind: 'script', roles: ['web'], script, window: 2 })) }
    await remuda.ask('PUT', 'projects/shop/process', process)
    await remuda.ask('POST', 'projects/shop/releases', { version: '1.0.0' })
    await until('all machines are healthy', limitMs, async () => {
      const { items } = await remuda.ask<{ items: MachineRow[] }>('GET', 'machines?status=healthy')
      return items.length === names.length
    })

    const ids: string[] = []
    for (let crash = 0; crash < crashes; crash++) {
      if (crash % 4 === 0) {
        const wanted = { projectId: 'shop', version: '1.0.0', environmentId: 'production' }
        ids.push((await remuda.ask<{ id: string }>('POST', 'deployments', wanted)).id)
      }
      // Anywhere between the first task and the next step; spread, so that every crash finds another moment.
      await sleep(80 + ((crash * 173) % 900))
      await remuda.server!.end('SIGKILL')
      await remuda.startServer()
    }

    const rows = await until('every deployment has ended', limitMs, async () => {
      const all = await Promise.all(ids.map((id) => remuda.ask<DeploymentRow>('GET', `deployments/${id}`)))
      return all.every(({ endedAt }) => endedAt !== null) && all
    })
    for (const row of rows) {
      expect(row.state, row.reason ?? '').toBe('succeeded')
      expect(row.targets.map(({ outcome }) => outcome)).toEqual(names.map(() => 'succeeded'))
    }
    const expected = ids.flatMap((id) => steps.map((step) => `${id} ${step}`)).toSorted()
    for (const name of names) {
      const ran = readFileSync(join(remuda.folder, name, 'ran.log'), 'utf8')
        .trim()
        .split('\n')
      expect(ran.toSorted(), name).toEqual(expected)
    }
    await expectSoundLog((address) => remuda.ask('GET', address))
  })
})
