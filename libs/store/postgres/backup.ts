import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Clock } from '#libs/clock.ts'
import { StoreFault } from '../store.ts'
import type { Target } from './target.ts'

const dumpMs = 4 * 3_600_000
const saidCharsMax = 2_000

/**
 * Copies the store with PostgreSQL's own `pg_dump`, as of one moment and while it is being written, to a file for
 * `pg_restore`. Where it is restored, a new epoch starts.
 */
export async function backupTo({ schema, environment }: Target, target: string, clock: Clock): Promise<void> {
  if (existsSync(target)) throw new StoreFault(`There is already a file ${target}. Choose another name for the backup.`)
  const unfinished = `${target}.unfinished`
  try {
    mkdirSync(dirname(target), { recursive: true })
    // The password goes through the environment, since everybody on the machine can read a command line.
    await run('pg_dump', ['--format=custom', `--schema=${schema}`, `--file=${unfinished}`], environment, clock)
    renameSync(unfinished, target)
  } catch (cause) {
    if (cause instanceof StoreFault) throw cause
    throw new StoreFault(`The backup could not be written to ${target}: ${String(cause)}. Check its folder.`, { cause })
  } finally {
    rmSync(unfinished, { force: true })
  }
}

function run(
  program: string,
  parameters: readonly string[],
  environment: Readonly<Record<string, string>>,
  clock: Clock,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, ...environment }
    const child = spawn(program, parameters, { env, stdio: ['ignore', 'ignore', 'pipe'] })
    const deadline = clock.timer(dumpMs, () => child.kill())
    let said = ''
    child.stderr.on('data', (text: Buffer) => (said = `${said}${text}`.slice(-saidCharsMax)))
    child.once('error', (error: NodeJS.ErrnoException) => {
      deadline.cancel()
      reject(error.code === 'ENOENT' ? noProgram(program) : error)
    })
    child.once('close', (code, signal) => {
      deadline.cancel()
      if (code === 0) resolve()
      else reject(new StoreFault(`The backup failed, ${program} ended with ${code ?? signal}: ${said.trim()}`))
    })
  })
}

const noProgram = (program: string) =>
  new StoreFault(
    `A backup of a PostgreSQL store needs ${program}, which is not installed here. Install the client programs of ` +
      "the server's version or newer, or use the backups of whoever runs the server.",
  )
