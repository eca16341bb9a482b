import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { WorkOrder } from '#contracts/agent.ts'
import { systemClock } from '#libs/systemClock.ts'
import type { RunOutcome, StopReason } from '#services/agent/ports.ts'
import { createRunner, type RunnerOptions } from '#services/agent/runner.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'remuda-runner-'))
})
afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

const order = (script: string, more: Partial<WorkOrder> = {}): WorkOrder => ({
  taskId: 'task/1',
  deploymentId: 'd1',
  stepId: 'one',
  attempt: 1,
  epoch: 1,
  interpreter: 'bash',
  script,
  environment: {},
  timeLimitMs: 30_000,
  logCharsMax: 1_000_000,
  ...more,
})

interface Options extends Partial<RunnerOptions> {
  readonly more?: Partial<WorkOrder>
  readonly outputMaxChars?: number
  readonly onOutput?: (all: string, end: (reason: StopReason) => void) => void
}

async function run(script: string, { more, onOutput, outputMaxChars = 1_000_000, ...options }: Options = {}) {
  const runner = createRunner({ clock: systemClock, folder, killGraceMs: 300, leftoverGraceMs: 300, ...options })
  const end = new AbortController()
  let text = ''
  const began = performance.now()
  const outcome = await runner.run(order(script, more), {
    signal: end.signal,
    output(part) {
      text += part
      onOutput?.(text, (reason) => end.abort(reason))
      return text.length < outputMaxChars
    },
  })
  return { outcome, text, ms: performance.now() - began }
}

const failedWith = (outcome: RunOutcome) => (outcome.outcome === 'failed' ? outcome.reason : outcome.outcome)

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** A zombie that nobody has collected yet is dead for our purposes. */
async function isRunning(pid: number): Promise<boolean> {
  if (!isAlive(pid)) return false
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z')
  return text.slice(text.lastIndexOf(')') + 2)[0] !== 'Z'
}

async function soon(condition: () => Promise<boolean> | boolean, withinMs = 5_000): Promise<boolean> {
  const deadline = performance.now() + withinMs
  while (performance.now() < deadline) {
    if (await condition()) return true
    await systemClock.sleep(20)
  }
  return false
}

describe('a script', () => {
  it('runs, prints on both streams, sets outputs, and leaves nothing behind', async () => {
    const { outcome, text } = await run(
      'echo out; echo err >&2; echo "url=http://x" >> "$REMUDA_OUTPUT"; printf "t<<E\\na\\nb\\nE\\n" >> "$REMUDA_OUTPUT"',
    )
    expect(outcome).toEqual({ outcome: 'succeeded', outputs: { url: 'http://x', t: 'a\nb' } })
    expect(text).toContain('out\n')
    expect(text).toContain('err\n')
    expect(await readdir(join(folder, 'tasks'))).toEqual([])
  })

  it('is heard also when it fails: what it made by then may have to be undone', async () => {
    const { outcome } = await run('echo "machines=a,b" >> "$REMUDA_OUTPUT"; exit 3')
    expect(outcome).toMatchObject({ outcome: 'failed', exitCode: 3, outputs: { machines: 'a,b' } })
    expect((await run('echo "no output" >> "$REMUDA_OUTPUT"; exit 3')).outcome).not.toHaveProperty('outputs')
    expect((await run('rm -r "$PWD"; exit 3')).outcome).toMatchObject({ reason: 'exit-code', exitCode: 3 })
  })

  it('runs in a folder that only its owner may enter', async () => {
    const { text } = await run('stat -c %a . script "$REMUDA_OUTPUT"; pwd')
    expect(text.split('\n').slice(0, 3)).toEqual(['700', '600', '600'])
    expect(text).toContain(join(folder, 'tasks'))
    expect((await stat(join(folder, 'tasks'))).mode & 0o077).toBe(0)
  })

  it('sees its variables and nothing of the agent’s own environment', async () => {
    process.env['REMUDA_TOKEN'] = 'rmd_join_secret'
    const more = { environment: { GREETING: 'a $(touch hacked) "b"\n`c`', REMUDA_TASK_ID: 'forged' } }
    const { text } = await run('env; ls', { more })
    delete process.env['REMUDA_TOKEN']
    expect(text).toContain('GREETING=a $(touch hacked) "b"\n`c`')
    expect(text).toContain('REMUDA_TASK_ID=task/1')
    expect(text).toMatch(/^PATH=/m)
    expect(text).not.toContain('secret')
    expect(text).not.toMatch(/^hacked$/m)
  })

  it('finds values that it wants as files in its folder, for its owner alone, and never in its environment', async () => {
    const more = { environment: { KEY: 'line 1\nline 2', OTHER: 'x' }, files: ['KEY'] }
    const { text } = await run('stat -c %a "$KEY" "$(dirname "$KEY")"; cat "$KEY"; echo; echo "$KEY"; env', { more })
    expect(text).toMatch(/^600\n700\nline 1\nline 2\n/)
    expect(text).toContain(join(folder, 'tasks'))
    expect(text.split('\n').slice(5).join()).not.toContain('line 1')
    expect(await readdir(join(folder, 'tasks'))).toEqual([])
  })

  it('says on which of its streams it prints', async () => {
    const sources: unknown[] = []
    const runner = createRunner({ clock: systemClock, folder })
    const output = (text: string, source?: string) => sources.push([text.trim(), source]) > 0
    await runner.run(order('echo one; sleep 0.2; echo two >&2'), { signal: new AbortController().signal, output })
    expect(sources.filter((said) => (said as string[])[0] !== '')).toEqual([
      ['one', 'out'],
      ['two', 'err'],
    ])
  })

  it('reads nothing: its input is closed', async () => {
    const { outcome } = await run('if read -r line; then exit 9; fi')
    expect(outcome.outcome).toBe('succeeded')
  })

  it.each([
    ['exit 3', 'exit-code', 3],
    ['kill -SEGV $$', 'signal', null],
    ['echo "not an output" >> "$REMUDA_OUTPUT"', 'bad-output', null],
  ] as const)('that does "%s" has failed by %s', async (script, reason, exitCode) => {
    const { outcome } = await run(script)
    expect(outcome).toMatchObject({ outcome: 'failed', reason, exitCode })
  })

  it('could not start when there is no such interpreter, and says which', async () => {
    const { outcome } = await run('true', { more: { interpreter: 'no-such-shell' } })
    expect(outcome).toMatchObject({ reason: 'could-not-start', detail: 'there is no no-such-shell on this machine' })
  })

  it('could not start when its variables do not fit, and says so', async () => {
    const { outcome } = await run('true', { more: { environment: { HUGE: 'x'.repeat(500_000) } } })
    expect(outcome).toMatchObject({ reason: 'could-not-start', detail: expect.stringContaining('variables') })
  })

  it('is ended when its time is up, also when it ignores that it is asked to', async () => {
    const polite = await run('sleep 100', { more: { timeLimitMs: 200 } })
    expect(polite.outcome).toMatchObject({ reason: 'time-limit', detail: 'it took longer than 200 ms' })
    const stubborn = await run('trap "" TERM; while true; do sleep 0.05; done', { more: { timeLimitMs: 200 } })
    expect(failedWith(stubborn.outcome)).toBe('time-limit')
    expect(stubborn.ms).toBeLessThan(8_000)
  })

  it.each(['cancelled', 'interrupted'] as const)('that is %s is ended with all that it started', async (reason) => {
    const script = 'trap "echo bye; exit 0" TERM; sleep 100 & echo "child $!"; wait'
    const { outcome, text } = await run(script, {
      onOutput: (all, end) => void (all.includes('child') && end(reason)),
    })
    expect(failedWith(outcome)).toBe(reason)
    expect(text).toContain('bye')
    const child = Number(/child (\d+)/.exec(text)![1])
    expect(await soon(async () => !(await isRunning(child)))).toBe(true)
  })

  it('does not begin when it is cancelled at the same moment', async () => {
    const runner = createRunner({ clock: systemClock, folder, killGraceMs: 300 })
    const outcome = await runner.run(order('sleep 100'), { signal: AbortSignal.abort('cancelled'), output: () => true })
    expect(failedWith(outcome)).toBe('cancelled')
  })

  it('that forks into the background ends all the same, and the background with it', async () => {
    const { outcome, text, ms } = await run('(trap "" TERM; while true; do sleep 0.1; done) & echo "child $!"')
    expect(outcome.outcome).toBe('succeeded')
    expect(ms).toBeLessThan(8_000)
    expect(await soon(async () => !(await isRunning(Number(/child (\d+)/.exec(text)![1]))))).toBe(true)
  })

  it('may start a daemon with setsid, which lives on even when it holds the output open', async () => {
    const chatter = 'echo "daemon $$"; trap "" PIPE; while true; do echo tick 2> /dev/null; sleep 0.05; done'
    let printed = 0
    const { outcome, text, ms } = await run(`setsid bash -c '${chatter}' & sleep 0.3`, {
      onOutput: () => (printed += 1),
    })
    const printedAtEnd = printed
    const daemon = Number(/daemon (\d+)/.exec(text)![1])
    expect(outcome.outcome).toBe('succeeded')
    expect(ms).toBeLessThan(8_000)
    await systemClock.sleep(200)
    expect(await isRunning(daemon)).toBe(true)
    expect(printed).toBe(printedAtEnd)
    process.kill(-daemon, 'SIGKILL')
  })

  it('that prints 100 MB is read to its end and quickly, and only what is wanted is kept', async () => {
    const { outcome, text, ms } = await run('head -c 100000000 /dev/zero | tr "\\0" x', { outputMaxChars: 100_000 })
    expect(outcome.outcome).toBe('succeeded')
    expect(text.length).toBeLessThan(300_000)
    expect(ms).toBeLessThan(10_000)
  })

  it('prints characters of several bytes whole', async () => {
    const { text } = await run('printf "\\xf0\\x9f"; sleep 0.05; printf "\\x98\\x80"')
    expect(text).toBe('😀')
  })
})

describe('what an earlier agent has left', () => {
  it('is ended: the group of the task and nothing else', async () => {
    const options = { clock: systemClock, folder, killGraceMs: 300 }
    const end = new AbortController()
    let text = ''
    const script = 'setsid bash -c \'echo "daemon $$"; sleep 100\' & sleep 0.2; echo "child $$"; sleep 100'
    const running = createRunner(options).run(order(script), {
      signal: end.signal,
      output: (part) => ((text += part), true),
    })
    await soon(() => text.includes('child') && text.includes('daemon'))
    const [child, daemon] = ['child', 'daemon'].map((who) => Number(new RegExp(`${who} (\\d+)`).exec(text)![1]))
    await createRunner(options).clearAway('task/1')
    expect(await soon(async () => !(await isRunning(child!)))).toBe(true)
    expect(await isRunning(daemon!)).toBe(true)
    process.kill(-daemon!, 'SIGKILL')
    await running
    expect(existsSync(join(folder, 'tasks', 'task'))).toBe(false)
  })

  it('may be nothing', async () => {
    await createRunner({ clock: systemClock, folder }).clearAway('never-ran')
  })
})
