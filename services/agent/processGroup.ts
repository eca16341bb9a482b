import { readdir, readFile } from 'node:fs/promises'
import type { Clock } from '#libs/clock.ts'

const poll = { firstMs: 20, lastMs: 320 }

/** Sends a signal to every process of a group; false when there is none left. */
export function signalGroup(groupId: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-groupId, signal)
    return true
  } catch (error) {
    // A process that has changed its user is there, but not ours to signal.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Asks all that is left of a group to end, and makes it end when it has not after `graceMs`. */
export async function endGroup(clock: Clock, groupId: number, graceMs: number): Promise<void> {
  const deadlineMs = clock.steadyMs() + graceMs
  if (!signalGroup(groupId, 'SIGTERM')) return
  for (let waitMs = poll.firstMs; clock.steadyMs() < deadlineMs; waitMs = Math.min(2 * waitMs, poll.lastMs)) {
    await clock.sleep(waitMs)
    if (!(await isGroupAlive(groupId))) return
  }
  signalGroup(groupId, 'SIGKILL')
}

/** Whether anything of a group still runs. In a container without an init, the dead stay listed for ever. */
async function isGroupAlive(groupId: number): Promise<boolean> {
  if (!signalGroup(groupId, 0)) return false
  const processes = await listProcesses()
  return processes.length === 0 || processes.some(({ group, state }) => group === groupId && !'ZX'.includes(state))
}

/**
 * Whether a group holds a process that was started with this variable in its environment. Tells, on Linux, what a run
 * has left behind from a group that was given the same number since.
 */
export async function groupHasVariable(groupId: number, name: string, value: string): Promise<boolean> {
  for (const { pid, group } of await listProcesses()) {
    if (group !== groupId) continue
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')
    if (environment.split('\0').includes(`${name}=${value}`)) return true
  }
  return false
}

/** Every process of the system, where it tells; none elsewhere. */
async function listProcesses() {
  const names = await readdir('/proc').catch(() => [])
  const stats = names.filter((name) => /^\d+$/.test(name)).map((pid) => readProcess(pid))
  return (await Promise.all(stats)).filter((found) => found !== null)
}

async function readProcess(pid: string) {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null)
  if (stat === null) return null
  // After the name in brackets, which may hold anything, come the state, the parent and the group.
  const [state = '', , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return { pid, state, group: Number(group) }
}
