import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { workerRole, workersEnvironmentId } from '#contracts/eligibility.ts'
import type { Message } from '#contracts/message.ts'
import { makeToken } from '#libs/auth.ts'
import type { Platform } from '#libs/platform.ts'
import { isRunning, markOf, parseMark, type ProcessMark } from '#libs/processes.ts'

const agentMain = fileURLToPath(new URL('./agent/main.ts', import.meta.url))
const tokenLifeMs = 10 * 60_000
const stopWithinMs = 8_000
const lookEveryMs = 50
const replaceAfterMs = 2_000
const ownerOnlyFolder = 0o700
/** Where the worker was told that the server is. */
const addressFile = 'server'
const actor = 'service:worker'

/**
 * The server's own worker: an ordinary agent, in a process and a folder of its own, for steps that belong to no target.
 * It outlives a crash of the server, so that what it runs is not cut off, and the next start takes it over. One that
 * dies is followed by another.
 */
export async function startWorker(platform: Platform, serverUrl: string, dataFolder: string): Promise<AsyncDisposable> {
  const { clock, log } = platform
  const folder = join(dataFolder, 'worker')
  const left = await leftBehind(platform, serverUrl, folder)
  let worker = left ?? (await launch(platform, serverUrl, folder))
  const known = { workerPid: worker.pid, folder }
  log.info(known, left === null ? 'the worker was started' : 'the worker of the last run was taken over')

  const stop = new AbortController()
  const keepOne = async () => {
    for (;;) {
      await clock.sleep(replaceAfterMs, stop.signal)
      if (stop.signal.aborted) return
      if (await isRunning(worker)) continue
      log.warn({ workerPid: worker.pid, folder }, 'the worker has died; another one is started')
      worker = await launch(platform, serverUrl, folder).catch((error: unknown) => {
        log.error({ err: error }, 'the worker could not be started')
        return worker
      })
    }
  }
  const kept = keepOne()
  return {
    async [Symbol.asyncDispose]() {
      stop.abort()
      await kept
      await end(platform, worker)
    },
  }
}

async function launch(platform: Platform, serverUrl: string, folder: string): Promise<ProcessMark> {
  const token = existsSync(join(folder, 'identity.json')) ? null : await joinToken(platform)
  const args = [agentMain, '--server', serverUrl, '--name', 'builtin-worker', '--role', workerRole, '--data', folder]
  const { PATH = '', HOME = '', LANG = 'C.UTF-8' } = process.env
  const env = { PATH, HOME, LANG, REMUDA_LOG_LEVEL: 'warn', ...(token === null ? {} : { REMUDA_TOKEN: token }) }
  await mkdir(folder, { recursive: true, mode: ownerOnlyFolder })
  await writeFile(join(folder, addressFile), serverUrl)
  const child = spawn(process.execPath, args, { detached: true, stdio: 'ignore', env })
  child.unref()
  if (child.pid === undefined) throw new Error('The worker could not be started.')
  return markOf(child.pid)
}

/** A token for this one machine. Its folder is new, so the registry has to be told to expect it. */
async function joinToken({ ask, clock }: Platform): Promise<string> {
  const commandId = clock.id()
  const send = async (message: Message, suffix: string) => {
    const cause = { actor, commandId: `${commandId}/${suffix}`, correlationId: commandId, causationId: null }
    const answer = await ask('registry', message, cause)
    if ('refused' in answer && answer.refused !== 'ENVIRONMENT_EXISTS')
      throw new Error(`The worker could not be enrolled: ${answer.detail}`)
  }
  const policy = { dynamicRegistration: { enabled: false }, automaticDeployments: { enabled: false } }
  const data = { environmentId: workersEnvironmentId, name: 'Workers', policy }
  await send({ type: 'CreateEnvironment', data }, 'environment')

  const enrollmentId = `worker-${clock.id()}`
  const { token, secretHash } = makeToken(clock, 'join', enrollmentId)
  const limits = { expiresAt: clock.wallMs() + tokenLifeMs, usesMax: 1 }
  const enrollment = { enrollmentId, environmentId: workersEnvironmentId, roles: [workerRole], secretHash }
  await send({ type: 'CreateEnrollment', data: { ...enrollment, ...limits } }, 'enrollment')
  return token
}

/** The worker of the last run, when it still runs. One that looks for the server elsewhere is ended: it never comes. */
async function leftBehind(platform: Platform, serverUrl: string, folder: string): Promise<ProcessMark | null> {
  const read = (name: string) => readFile(join(folder, name), 'utf8').catch(() => null)
  const worker = parseMark(await read('agent.lock'))
  if (worker === null || !(await isRunning(worker))) return null
  if ((await read(addressFile)) === serverUrl) return worker
  await end(platform, worker)
  return null
}

async function end({ clock }: Platform, worker: ProcessMark): Promise<void> {
  const signal = async (name: NodeJS.Signals) => {
    const runs = await isRunning(worker)
    if (runs) process.kill(worker.pid, name)
    return runs
  }
  if (!(await signal('SIGTERM'))) return
  for (let waitedMs = 0; waitedMs < stopWithinMs && (await isRunning(worker)); waitedMs += lookEveryMs)
    await clock.sleep(lookEveryMs)
  await signal('SIGKILL')
}
