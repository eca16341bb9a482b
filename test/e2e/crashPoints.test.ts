import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { DeploymentRow, MachineRow } from '#contracts/rows.ts'
import { Remuda, until } from '#test/support/remuda.ts'
import { expectSoundLog } from '#test/support/soundLog.ts'

const names = ['web-1', 'web-2'] as const
const limitMs = 60_000
/** Which appends of a deployment kill the server; all of them, one after another, with `npm run crash`. */
const chosen = process.env['REMUDA_CRASH_POINTS'] === 'all' ? Number.POSITIVE_INFINITY : 3
const some = [2, 6, 11]
const pointOf = (index: number) => (chosen === Number.POSITIVE_INFINITY ? index + 1 : (some[index] ?? 0))

// Whatever runs writes a line of its own: what ran twice is there twice, whatever anybody says.
const note = 'echo "$REMUDA_DEPLOYMENT_ID $REMUDA_STEP_ID $REMUDA_ATTEMPT" >> "$HOME/ran.log"'
const steps = [
  { id: 'install', script: `${note}; echo "MADE=$REMUDA_STEP_ID" >> "$REMUDA_OUTPUT"`, window: 1, minimumHealthy: 1 },
  { id: 'switch', script: `${note}; [ "$REMUDA_ATTEMPT" -gt 1 ]`, attemptsMax: 2, retryAfterMs: 100 },
  { id: 'warm', script: note, start: 'with-previous' },
  { id: 'undo', script: note, condition: 'failure' },
]
const ran = ['install 1', 'switch 1', 'switch 2', 'warm 1']

const preload = `--import=${new URL('../support/crashBehind.ts', import.meta.url).href}`
const mortal = (append: number) => ({ NODE_OPTIONS: preload, CRASH_BEHIND_APPEND: String(append) })

describe('a server that is killed right behind an append of a deployment', () => {
  it('runs nothing twice, and ends the deployment', { timeout: 900_000 }, async () => {
    await using remuda = new Remuda()
    await remuda.startServer([], mortal(pointOf(0)))
    const token = await begin(remuda)
    const ids: string[] = []
    for (let index = 0; index < chosen; index++) {
      await startAgents(remuda, token)
      await healthy(remuda)
      const { id, hasDied } = await deploy(remuda, mortal(pointOf(index + 1)))
      ids.push(id)
      const row = await ended(remuda, id)
      expect(row.state, `append ${pointOf(index)}: ${row.reason}`).toBe('succeeded')
      expect(row.targets.map(({ outcome }) => outcome)).toEqual(names.map(() => 'succeeded'))
      if (!hasDied) break
    }
    for (const name of names)
      expect(linesOf(remuda, name)).toEqual(ids.flatMap((id) => ran.map((line) => `${id} ${line}`)).toSorted())
    if (chosen === Number.POSITIVE_INFINITY) expect(ids.length).toBeGreaterThan(10)
    await expectSoundLog((address) => remuda.ask('GET', address))
  })
})

async function begin(remuda: Remuda): Promise<string> {
  const policy = {
    health: { heartbeatEveryMs: '500ms', lateAfterMs: '30s', unavailableAfterMs: '60s' },
    automaticDeployments: { enabled: false },
  }
  await remuda.ask('POST', 'environments', { id: 'production', policy })
  await remuda.ask('POST', 'projects', { id: 'shop' })
  await remuda.ask('PUT', 'projects/shop/process', { steps: steps.map((step) => ({ kind: 'script', ...step })) })
  await remuda.ask('POST', 'projects/shop/releases', { version: '1.0.0' })
  return remuda.joinToken('production', ['web'])
}

/** Agents wait longer from one short session to the next, so each crash finds new ones. */
async function startAgents(remuda: Remuda, token: string): Promise<void> {
  await Promise.all([...remuda.agents.values()].map((agent) => agent.end()))
  for (const name of names) remuda.startAgent(name, ['--token', token, '--role', 'web'])
}

const healthy = (remuda: Remuda) =>
  until('all machines are healthy', limitMs, async () => {
    const { items } = await remuda.ask<{ items: MachineRow[] }>('GET', 'machines?status=healthy')
    return items.length === names.length
  })

/**
 * Asks for a deployment, and starts the server again when it dies, as one that the next deployment kills. Whoever has had
 * no answer asks once more.
 */
async function deploy(remuda: Remuda, next: ReturnType<typeof mortal>): Promise<{ id: string; hasDied: boolean }> {
  const key = crypto.randomUUID()
  const wanted = { projectId: 'shop', version: '1.0.0', environmentId: 'production' }
  const ask = () => remuda.call<{ id: string }>('POST', 'deployments', wanted, key).catch(() => null)
  const answer = await ask()
  await until('the server has died, or the deployment has ended', limitMs, async () => {
    if (remuda.server!.ended || answer === null) return true
    const row = await remuda.call<DeploymentRow>('GET', `deployments/${answer.body.id}`).catch(() => null)
    return row?.status === 200 && row.body.endedAt !== null
  })
  const hasDied = answer === null || remuda.server!.ended
  if (hasDied) {
    await remuda.server!.exit()
    await remuda.startServer([], next)
  }
  const { id } = answer?.body ?? (await ask())!.body
  return { id, hasDied }
}

const ended = (remuda: Remuda, id: string) =>
  until('the deployment has ended', limitMs, async () => {
    const { status, body } = await remuda.call<DeploymentRow>('GET', `deployments/${id}`)
    return status === 200 && body.endedAt !== null && body
  })

const linesOf = (remuda: Remuda, name: string): readonly string[] =>
  readFileSync(join(remuda.folder, name, 'ran.log'), 'utf8')
    .trim()
    .split('\n')
    .toSorted()
