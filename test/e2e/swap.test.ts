import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { DeploymentRow, MachineRow } from '#contracts/rows.ts'
import { Remuda, Running, until } from '#test/support/remuda.ts'
import { Visitors } from '#test/support/visitors.ts'
import { runCli } from '../services/cli/support.ts'

// The sample as its user has it: its files are applied by the command line, its machines are real agents, each with a
// server of its own, and visitors come to its load balancer all the time.
const root = resolve(import.meta.dirname, '../..')
const sample = join(root, 'deploy/samples/immutable')
const limitMs = 60_000
/** Most are quick, and some are slower than it takes to destroy a machine. */
const visits = ['/', '/', '/', '/', '/', '/', '/', '/?moment=700']
const policy = {
  health: { heartbeatEveryMs: '500ms' },
  dynamicRegistration: { enabled: false },
  automaticDeployments: { enabled: false },
}

/** A server with a worker, the load balancer, and the project of the sample. */
class Stage implements AsyncDisposable {
  readonly remuda = new Remuda()
  readonly folder = join(this.remuda.folder, 'shop')
  #balancer: Running | null = null
  address = ''
  pool = ''

  static async start(): Promise<Stage> {
    const stage = new Stage()
    const path = `${dirname(process.execPath)}:${process.env.PATH}`
    await stage.remuda.startServer(['--worker'], { PATH: path })
    await stage.#startBalancer()
    const { remuda, folder } = stage
    await remuda.ask('POST', 'environments', { id: 'production', policy })
    mkdirSync(folder)
    const tokenFile = join(remuda.folder, 'join-token')
    writeFileSync(tokenFile, await remuda.joinToken('production', ['web']), { mode: 0o600 })
    await stage.apply('shop.yaml')
    const { pool: SHOP_POOL, address: SHOP_ADDRESS } = stage
    const how = { SHOP_CODE: root, SHOP_FOLDER: folder, SHOP_SERVER: remuda.url, SHOP_TOKEN_FILE: tokenFile }
    await stage.set({ ...how, SHOP_POOL, SHOP_ADDRESS })
    return stage
  }

  async #startBalancer(): Promise<void> {
    const balancer = new Running(join(sample, 'balancer.ts'), ['--port', '0', '--pool-port', '0'])
    this.#balancer = balancer
    const [, address, pool] = await until('the load balancer is up', limitMs, async () =>
      /visitors +(\S+)\/\npool +(\S+)\n/.exec(balancer.output),
    )
    Object.assign(this, { address, pool })
  }

  async cli(...args: string[]): Promise<void> {
    const { remuda } = this
    const { code, stderr } = await runCli(args, { server: remuda.url, env: { REMUDA_DATA: remuda.data } })
    expect(`${code} ${stderr}`).toBe('0 ')
  }

  apply = (file: string) => this.cli('project', 'apply', '-f', join(sample, file))
  set = (values: Readonly<Record<string, string>>) =>
    this.cli('project', 'variables', 'set', 'shop', ...Object.entries(values).map((pair) => pair.join('=')))

  /** Releases and deploys what the project is now, and says yes to whatever a person is asked. */
  async deploy(version: string): Promise<DeploymentRow> {
    const { remuda } = this
    await remuda.ask('POST', 'projects/shop/releases', { version })
    const wanted = { projectId: 'shop', version, environmentId: 'production' }
    const { id } = await remuda.ask<{ id: string }>('POST', 'deployments', wanted)
    return until(`${version} has ended`, limitMs, async () => {
      const row = await remuda.ask<DeploymentRow>('GET', `deployments/${id}`)
      if (row.approval !== null) await remuda.call('POST', `deployments/${id}/decide`, { decision: 'approve' })
      return row.endedAt !== null && row
    })
  }

  /** The machines of a deployment that there are, by their folders and by the registry. */
  machinesOf = ({ id }: DeploymentRow): readonly string[] =>
    readdirSync(this.folder).filter((name) => name.startsWith(`shop-${id.slice(0, 8)}-`))

  async registered(): Promise<readonly string[]> {
    const { items } = await this.remuda.ask<{ items: readonly MachineRow[] }>('GET', 'machines?environment=production')
    return items.map(({ name }) => name).toSorted()
  }

  async serving(): Promise<readonly string[]> {
    const { members } = (await (await fetch(this.pool)).json()) as { members: readonly { readonly name: string }[] }
    return members.map(({ name }) => name).toSorted()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of existsSync(this.folder) ? readdirSync(this.folder) : [])
      for (const file of ['agent.pid', 'app.pid']) kill(join(this.folder, name, file))
    await this.#balancer?.end()
    await this.remuda[Symbol.asyncDispose]()
  }
}

function kill(file: string): void {
  try {
    process.kill(Number(readFileSync(file, 'utf8')), 'SIGKILL')
  } catch {
    // It has ended before, as it should have.
  }
}

describe('the sample of an immutable deployment', () => {
  it(
    'swaps machines under load without a failed request, and cleans up after itself',
    { timeout: 180_000 },
    async () => {
      await using stage = await Stage.start()
      const first = await stage.deploy('1.0.0')
      expect(`${first.state} ${first.reason}`).toBe('succeeded null')
      await using visitors = new Visitors(...visits.map((visit) => stage.address + visit))

      // The machines of the first release stay, and serve nobody any more.
      const second = await stage.deploy('2.0.0')
      expect(`${second.state} ${second.reason}`).toBe('succeeded null')
      expect(await stage.serving()).toEqual(stage.machinesOf(second))
      expect(stage.machinesOf(first)).toHaveLength(2)

      // The third is no good, which turns out only when it has all the traffic: the second serves again.
      await stage.set({ SHOP_PAGE: '/nowhere' })
      const bad = await stage.deploy('3.0.0')
      expect(bad.state).toBe('failed')
      expect(bad.reason).toMatch(/^step verify: exit code/)
      expect(await stage.serving()).toEqual(stage.machinesOf(second))
      expect(stage.machinesOf(bad)).toEqual([])
      expect(bad.swap).toEqual({ serving: stage.machinesOf(second), leftBehind: [] })

      // With the fourth the first are destroyed, and the second are kept.
      await stage.set({ SHOP_PAGE: '/' })
      const fourth = await stage.deploy('4.0.0')
      expect(`${fourth.state} ${fourth.reason}`).toBe('succeeded null')
      expect(stage.machinesOf(first)).toEqual([])
      const [kept, serving] = [stage.machinesOf(second), stage.machinesOf(fourth)]
      expect(await stage.registered()).toEqual([...kept, ...serving].toSorted())

      // To go back takes no more than attaching those.
      await stage.apply('back.yaml')
      const back = await stage.deploy('4.0.0-back')
      expect(`${back.state} ${back.reason}`).toBe('succeeded null')
      expect(await stage.serving()).toEqual(kept)

      await visitors.end()
      expect(visitors.failures).toEqual([])
      expect([...visitors.answers.keys()].toSorted()).toEqual(['1.0.0', '2.0.0', '3.0.0', '4.0.0'])
    },
  )
})
