import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DeploymentRow, MachineRow } from '#contracts/rows.ts'
import { Remuda, until, type Running } from '#test/support/remuda.ts'

const limitMs = 90_000
const mib = 1024 * 1024
/** Beyond what a process takes that has just started: what one task may make it take. */
const growthMaxBytes = 160 * mib
const logCharsMax = 4 * mib
const environmentId = 'production'
const policy = {
  health: { heartbeatEveryMs: '500ms', lateAfterMs: '30s', unavailableAfterMs: '60s' },
  deployments: { cancelGraceMs: '1s', contactBudgetMs: '30s' },
  automaticDeployments: { enabled: false },
  dynamicRegistration: { enabled: false },
}
const flags = ['--role', 'web', '--token']

let remuda: Remuda
let token: string
const ids = new Map<string, string>()
let versions = 0
let stubborn: string

const note = 'echo "$REMUDA_DEPLOYMENT_ID $REMUDA_STEP_ID" >> "$HOME/ran.log"'

beforeAll(async () => {
  remuda = await Remuda.start()
  await remuda.ask('POST', 'environments', { id: environmentId, policy })
  token = await remuda.joinToken(environmentId, ['web'])
  await agents('web-1', 'web-2', 'web-3')
  // It is given a while to end before it is made to, so it has the time of the other tests.
  stubborn = await deploy('web-2', [
    { id: 'stubborn', script: 'trap "" TERM; while true; do sleep 0.1; done', timeLimitMs: 500 },
    { id: 'after', script: note },
  ])
})
afterAll(() => remuda[Symbol.asyncDispose]())

async function agents(...names: readonly string[]): Promise<void> {
  for (const name of names) remuda.startAgent(name, [...flags, token])
  await until(`${names.join(', ')} are healthy`, limitMs, async () => {
    const { items } = await remuda.ask<{ items: MachineRow[] }>('GET', 'machines?status=healthy')
    for (const { name, id } of items) ids.set(name, id)
    return names.every((name) => items.some((machine) => machine.name === name))
  })
}

/** Deploys scripts as steps, each of a project of its own, since deployments of one go one after the other. */
async function deploy(machine: string, steps: readonly object[]): Promise<string> {
  const projectId = `project-${(versions += 1)}`
  const process = { steps: steps.map((step) => ({ kind: 'script', condition: 'always', ...step })) }
  await remuda.ask('POST', 'projects', { id: projectId })
  await remuda.ask('PUT', `projects/${projectId}/process`, process)
  await remuda.ask('POST', `projects/${projectId}/releases`, { version: '1.0.0' })
  const wanted = { projectId, version: '1.0.0', environmentId, machines: [ids.get(machine)!] }
  return (await remuda.ask<{ id: string }>('POST', 'deployments', wanted)).id
}

const rowOf = (id: string) => remuda.ask<DeploymentRow>('GET', `deployments/${id}`)

const ended = (id: string) =>
  until('the deployment has ended', limitMs, async () => {
    const row = await rowOf(id)
    return row.endedAt !== null && row
  })

const isRunning = (id: string) =>
  until('the script runs', limitMs, async () => {
    const { types } = await factsOf(id)
    return types.includes('TaskStarted')
  })

interface Fact {
  readonly type: string
  readonly data: { readonly stepId?: string; readonly reason?: string; readonly logTruncated?: boolean }
}

async function factsOf(id: string) {
  const { items } = await remuda.ask<{ items: Fact[] }>('GET', `events?stream=deployment-${id}&limit=1000`)
  return { items, types: items.map(({ type }) => type) }
}

/** By step: why it failed, or that it went well. */
async function endsOf(id: string): Promise<Readonly<Record<string, string>>> {
  const { items } = await factsOf(id)
  const ends = items.filter(({ type }) => /^Task(Succeeded|Failed|Lost)$/.test(type))
  return Object.fromEntries(ends.map(({ data: { stepId = '', reason = 'succeeded' } }) => [stepId, reason]))
}

async function logOf(id: string): Promise<string> {
  const admin = (await readFile(join(remuda.data, 'admin-token'), 'utf8')).trim()
  const answer = await fetch(`${remuda.url}/v1/deployments/${id}/log`, {
    headers: { authorization: `Bearer ${admin}` },
  })
  return answer.text()
}

const memoryOf = ({ child }: Running, what: 'VmRSS' | 'VmHWM'): number =>
  Number(new RegExp(`${what}:\\s+(\\d+)`).exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))![1]) * 1024

const linesOf = (name: string): readonly string[] => {
  try {
    return readFileSync(join(remuda.folder, name, 'ran.log'), 'utf8')
      .trim()
      .split('\n')
  } catch {
    return []
  }
}

const isAlive = (pid: number): boolean => {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

describe('scripts that do not do as they should', () => {
  it('end, each with its own reason, and hold up nothing that comes after them', { timeout: limitMs }, async () => {
    const forks = `(trap "" TERM; while true; do sleep 0.1; done) & echo "$!" > "$HOME/forked"`
    const holds = `setsid bash -c 'echo "$$" > "$HOME/holder"; exec sleep 300' & sleep 0.3; echo "still here"`
    const id = await deploy('web-1', [
      { id: 'hangs', script: 'sleep 1000', timeLimitMs: 500 },
      { id: 'forks', script: forks },
      { id: 'holds', script: holds },
      { id: 'missing', script: 'true', interpreter: 'no-such-shell' },
      { id: 'fails', script: 'exit 7' },
      { id: 'crashes', script: 'kill -SEGV $$' },
      { id: 'babbles', script: 'echo "no output line" >> "$REMUDA_OUTPUT"' },
      { id: 'after', script: note },
    ])
    expect((await ended(id)).state).toBe('failed')
    expect(await endsOf(id)).toEqual({
      ...{ hangs: 'time-limit', forks: 'succeeded', holds: 'succeeded', missing: 'could-not-start' },
      ...{ fails: 'exit-code', crashes: 'signal', babbles: 'bad-output', after: 'succeeded' },
    })
    const [forked, holder] = ['forked', 'holder'].map((file) =>
      Number(readFileSync(join(remuda.folder, 'web-1', file), 'utf8')),
    )
    expect([isAlive(forked!), isAlive(holder!)]).toEqual([false, true])
    process.kill(holder!, 'SIGKILL')
  })

  it('may print what is no text, colours, half a line, and far too much', { timeout: limitMs }, async () => {
    const [agent, server] = [remuda.agents.get('web-3')!, remuda.server!]
    const before = [memoryOf(agent, 'VmRSS'), memoryOf(server, 'VmRSS')] as const
    const flood = await deploy('web-3', [{ id: 'floods', script: 'yes "$(printf "%0100d" 0)" | head -c 1000000000' }])
    const odd = await deploy('web-1', [
      { id: 'binary', script: 'head -c 4096 /dev/urandom; printf "\\0\\377"' },
      { id: 'colours', script: 'printf "\\033[31mred\\033[0m and half a line"' },
    ])
    await ended(odd)
    expect(await endsOf(odd)).toEqual({ binary: 'succeeded', colours: 'succeeded' })
    expect(await logOf(odd)).toContain('\u001b[31mred\u001b[0m and half a line')

    expect((await ended(flood)).state).toBe('succeeded')
    const { items } = await factsOf(flood)
    expect(items.find(({ type }) => type === 'TaskSucceeded')?.data.logTruncated).toBe(true)
    const log = await logOf(flood)
    expect(log).toContain(`[cut off here: more than ${logCharsMax} characters]`)
    // Shown with where each line comes from.
    expect(log.length).toBeLessThan(2 * logCharsMax)
    expect(memoryOf(agent, 'VmHWM')).toBeLessThan(before[0] + growthMaxBytes)
    expect(memoryOf(server, 'VmHWM')).toBeLessThan(before[1] + growthMaxBytes)
  })
})

describe('a deployment that is cancelled', () => {
  it(
    'gives up what does not end, says so, and keeps the machine until it is known to have ended',
    { timeout: limitMs },
    async () => {
      const agent = remuda.agents.get('web-1')!
      const id = await deploy('web-1', [{ id: 'stuck', script: `${note}; sleep 1000` }])
      await isRunning(id)
      // It is there and says nothing: whether its script goes on, nobody can know.
      agent.child.kill('SIGSTOP')
      await remuda.ask('POST', `deployments/${id}/cancel`, { reason: 'enough' })
      const { state, targets } = await ended(id)
      expect([state, targets[0]?.outcome, targets[0]?.reason]).toEqual(['cancelled', 'lost', 'step stuck: abandoned'])
      const next = await deploy('web-1', [{ id: 'next', script: note }])
      await until('the next one waits', limitMs, async () => (await factsOf(next)).types.includes('StepStarted'))
      expect((await factsOf(next)).types).not.toContain('TaskDispatched')

      agent.child.kill('SIGCONT')
      expect((await ended(next)).state).toBe('succeeded')
      expect((await factsOf(id)).types.at(-1)).toBe('TargetCleaned')
      expect(linesOf('web-1').slice(-2)).toEqual([`${id} stuck`, `${next} next`])
    },
  )
})

describe('a script that does not care that it is to end', () => {
  it('is made to, and what comes after it runs', { timeout: limitMs }, async () => {
    await ended(stubborn)
    expect(await endsOf(stubborn)).toEqual({ stubborn: 'time-limit', after: 'succeeded' })
  })
})

describe('an agent that is killed', () => {
  it(
    'before, during or right behind a script never runs it twice, and says what is known',
    { timeout: limitMs },
    async () => {
      await remuda.agents.get('web-1')!.end('SIGKILL')
      const before = await deploy('web-1', [{ id: 'one', script: note }])
      const during = await deploy('web-2', [{ id: 'one', script: `${note}; echo "$$" > "$HOME/script"; sleep 1000` }])
      const behind = await deploy('web-3', [{ id: 'one', script: `${note}; kill -9 "$PPID"` }])
      await isRunning(during)
      await until('its script runs', limitMs, async () => linesOf('web-2').includes(`${during} one`))
      await remuda.agents.get('web-2')!.end('SIGKILL')
      await remuda.agents.get('web-3')!.exit()
      for (const name of ['web-1', 'web-2', 'web-3']) remuda.startAgent(name, [...flags, token])

      expect((await ended(before)).state).toBe('succeeded')
      for (const id of [during, behind]) {
        const { state, targets } = await ended(id)
        expect([state, targets[0]?.outcome, targets[0]?.reason]).toEqual(['failed', 'failed', 'step one: interrupted'])
      }
      for (const [name, id] of [
        ['web-1', before],
        ['web-2', during],
        ['web-3', behind],
      ] as const)
        expect(linesOf(name).filter((line) => line === `${id} one`)).toHaveLength(1)
      const script = Number(readFileSync(join(remuda.folder, 'web-2', 'script'), 'utf8'))
      expect(isAlive(script)).toBe(false)
    },
  )
})
