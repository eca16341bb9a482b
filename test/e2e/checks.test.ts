import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { Remuda, until } from '#test/support/remuda.ts'

const testMaxMs = 180_000
const withinMs = 40_000
const removeAfterMs = 4_000

interface Machine {
  readonly id: string
  readonly status: string
  readonly registered: boolean
  readonly failing: readonly { check: string; level: string; evidence: { detail?: string; finding?: string } }[]
}
interface Event {
  readonly type: string
  readonly data: { readonly check?: string; readonly evidence?: { readonly detail?: string } }
}

/** A machine whose check ends with the code that stands in a file, and counts its runs in another. */
async function begin(remuda: Remuda) {
  const [state, runs] = [join(remuda.folder, 'state'), join(remuda.folder, 'runs')]
  writeFileSync(state, '0')
  writeFileSync(runs, '')
  const script = `code=$(cat ${state}); echo "state $code"; echo ran >> ${runs}; exit "$code"`
  const check = { name: 'state', script, everyMs: '2s', timeoutMs: '1900ms' }
  const health = { heartbeatEveryMs: 500, lateAfterMs: '3s', unavailableAfterMs: '6s' }
  const policy = (removal: object, ...checks: readonly object[]) => ({
    dynamicRegistration: removal,
    health: { ...health, checks },
  })
  await remuda.ask('POST', 'environments', {
    id: 'production',
    policy: policy({ removeAfterMs, startUpGraceMs: 0 }, check),
  })
  remuda.startAgent('web-1', ['--token', await remuda.joinToken('production', ['web'])])

  const machine = async () => (await remuda.ask<{ items: Machine[] }>('GET', 'machines')).items[0]
  const becomes = (status: string) =>
    until(`the machine is ${status}`, withinMs, async () => {
      const row = await machine()
      return row?.status === status && row
    })
  const healthEvents = async () => {
    const { id } = (await machine())!
    return (await remuda.ask<{ items: Event[] }>('GET', `events?stream=health-${id}&limit=200`)).items
  }
  const say = (code: number | string) => writeFileSync(state, String(code))
  const count = () => readFileSync(runs, 'utf8').length
  const setPolicy = (...given: Parameters<typeof policy>) =>
    remuda.ask('PUT', 'environments/production/policy', policy(...given))
  return { check, machine, becomes, healthEvents, say, count, setPolicy }
}

describe('checks that run on the machine', { timeout: testMaxMs }, () => {
  it('say how it is: degraded, unhealthy and healthy again, and never have it removed', async () => {
    await using remuda = await Remuda.start()
    const { becomes, healthEvents, say, check, setPolicy, count } = await begin(remuda)
    await becomes('healthy')
    say(1)
    const degraded = await becomes('degraded')
    expect(degraded.failing).toMatchObject([{ check: 'state', level: 'warning', evidence: { detail: 'state 1\n' } }])
    say(2)
    const { failing } = await becomes('unhealthy')
    expect(failing).toMatchObject([{ level: 'failure', evidence: { finding: 'check-failed', detail: 'state 2\n' } }])
    await sleep(3 * removeAfterMs)
    expect(await becomes('unhealthy')).toMatchObject({ registered: true })
    say(0)
    expect((await becomes('healthy')).failing).toEqual([])
    const removals = await remuda.ask<{ items: Event[] }>('GET', 'events?type=MachineDeregistered')
    expect(removals.items).toEqual([])

    say(2)
    await becomes('unhealthy')
    await setPolicy({ removeAfterMs }, { ...check, roles: ['db'] })
    await becomes('healthy')
    const passed = (await healthEvents()).findLast(({ type }) => type === 'HealthCheckPassed')
    expect(passed?.data.evidence?.detail).toBe('this check is no longer made on the machine')
    await sleep(1_000)
    const before = count()
    await sleep(5_000)
    expect(count()).toBe(before)
  })

  it('are not made on a machine that is disabled, and are made again afterwards', async () => {
    await using remuda = await Remuda.start()
    const { machine, becomes, count } = await begin(remuda)
    await becomes('healthy')
    await until('the check has run', withinMs, async () => count() > 0)
    const { id } = (await machine())!
    await remuda.ask('POST', `machines/${id}/disable`, { reason: 'repair' })
    await sleep(1_000)
    const before = count()
    await sleep(6_000)
    expect(count()).toBe(before)
    await remuda.ask('POST', `machines/${id}/enable`, {})
    await until('the check runs again', withinMs, async () => count() > before)
  })

  it('leave their last word in force after a silence, until they are made again', async () => {
    await using remuda = await Remuda.start()
    const { check, becomes, healthEvents, say, setPolicy } = await begin(remuda)
    await becomes('healthy')
    await setPolicy({ removeAfterMs: '10m' }, check)
    say(2)
    await becomes('unhealthy')
    await remuda.agents.get('web-1')!.end('SIGKILL')
    await becomes('unavailable')
    say(0)
    remuda.startAgent('web-1', [])
    await becomes('healthy')
    const changes = (await healthEvents()).map(({ type }) => type).filter((type) => type !== 'HealthCheckFailed')
    expect(changes.slice(changes.lastIndexOf('MachineBecameUnavailable'))).toEqual([
      ...['MachineBecameUnavailable', 'MachineBecameUnhealthy'],
      ...['HealthCheckPassed', 'MachineBecameHealthy'],
    ])
  })
})
