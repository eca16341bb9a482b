import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { workerRole, workersEnvironmentId } from '#contracts/eligibility.ts'
import type { Message } from '#contracts/message.ts'
import { makeToken } from '#libs/auth.ts'
import type { Platform } from '#libs/platform.ts'

const agentMain = fileURLToPath(new URL('./agent/main.ts', import.meta.url))
const tokenLifeMs = 10 * 60_000
const stopWithinMs = 8_000
const lookEveryMs = 50
const actor = 'service:worker'

/**
 * The server's own worker: an ordinary agent, in a process and a folder of its own, for steps that belong to no target.
 * It outlives a crash of the server, so that what it runs is not cut off, and the next start takes it over.
 */
export async function startWorker(platform: Platform, serverUrl: string, dataFolder: string): Promise<AsyncDisposable> {
  const { clock, log } = platform
  const folder = join(dataFolder, 'worker')
  const running = runningAgent(folder)
  const pid = running ?? (await launch(platform, serverUrl, folder))
  log.info({ pid, folder }, running === null ? 'the worker was started' : 'the worker of the last run was taken over')

  return {
    async [Symbol.asyncDispose]() {
      if (!signal(pid, 'SIGTERM')) return
      for (let waitedMs = 0; waitedMs < stopWithinMs && signal(pid, 0); waitedMs += lookEveryMs)
        await clock.sleep(lookEveryMs)
      if (signal(pid, 0)) signal(pid, 'SIGKILL')
    },
  }
}

async function launch(platform: Platform, serverUrl: string, folder: string): Promise<number> {
  const token = existsSync(join(folder, 'identity.json')) ? null : await joinToken(platform)
  const args = [agentMain, '--server', serverUrl, '--name', 'builtin-worker', '--role', workerRole, '--data', folder]
  const { PATH = '', HOME = '', LANG = 'C.UTF-8' } = process.env
  const env = { PATH, HOME, LANG, REMUDA_LOG_LEVEL: 'warn', ...(token === null ? {} : { REMUDA_TOKEN: token }) }
  const child = spawn(process.execPath, args, { detached: true, stdio: 'ignore', env })
  child.unref()
  if (child.pid === undefined) throw new Error('The worker could not be started.')
  return child.pid
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

function runningAgent(folder: string): number | null {
  try {
    const { pid } = JSON.parse(readFileSync(join(folder, 'agent.lock'), 'utf8')) as { pid: number }
    return signal(pid, 0) ? pid : null
  } catch {
    return null
  }
}

const signal = (pid: number, name: NodeJS.Signals | 0): boolean => {
  try {
    return process.kill(pid, name)
  } catch {
    return false
  }
}
