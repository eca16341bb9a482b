import { link, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { OperatorFault } from '#libs/lifecycle.ts'
import { isRunning, markOf, parseMark } from '#libs/processes.ts'

// The idea: whoever wants the folder takes the next number, by linking a file that is already written to a name that
// must not exist. Numbers are never used again, so one who has looked too long at an old state takes a number that
// is gone or too low, sees that, and looks again. Deleting a dead lock and making a new one would leave a gap for two.

const numbersFolder = 'lock'
/** Who holds the folder, for people and for those who start agents. */
const holderFile = 'agent.lock'
const folderMode = 0o700
const fileMode = 0o600

/** Another agent works in this data folder. */
export class LockFault extends OperatorFault {
  override readonly name = 'LockFault'
}

/**
 * Takes a data folder for this process alone: two agents in one would run every task twice. The lock of a process that
 * has died is passed on.
 * @throws LockFault when another agent that runs holds it
 */
export async function lockFolder(folder: string): Promise<AsyncDisposable> {
  const numbers = join(folder, numbersFolder)
  await mkdir(numbers, { recursive: true, mode: folderMode })
  const text = JSON.stringify(await markOf(process.pid))

  for (;;) {
    const highest = await highestIn(numbers)
    const held = highest === 0 ? null : await readHolder(join(numbers, String(highest)))
    if (held && (await isRunning(held))) {
      throw new LockFault(
        `Another agent (process ${held.pid}) works in ${folder}. Stop it, or give this one a folder of its own.`,
      )
    }
    const mine = join(numbers, String(highest + 1))
    if (!(await linkWritten(mine, text))) continue
    if ((await highestIn(numbers)) !== highest + 1) {
      await rm(mine, { force: true })
      continue
    }
    await removeBelow(numbers, highest + 1)
    await writeFile(join(folder, holderFile), text, { mode: fileMode })
    return { [Symbol.asyncDispose]: () => release(folder, mine) }
  }
}

/** The number stays taken, and tells that nobody holds it. */
async function release(folder: string, mine: string): Promise<void> {
  await rm(join(folder, holderFile), { force: true })
  await writeFile(mine, '')
}

async function highestIn(numbers: string): Promise<number> {
  const names = await readdir(numbers)
  return Math.max(0, ...names.filter((name) => /^\d+$/.test(name)).map(Number))
}

async function removeBelow(numbers: string, number: number): Promise<void> {
  for (const name of await readdir(numbers)) {
    if (/^\d+$/.test(name) && Number(name) < number) await rm(join(numbers, name), { force: true })
  }
}

let written = 0

/** Makes a file that has its text from its first moment; false when there is one of this name. */
async function linkWritten(path: string, text: string): Promise<boolean> {
  const beside = `${path}.${process.pid}.${(written += 1)}`
  await writeFile(beside, text, { mode: fileMode })
  try {
    await link(beside, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    await rm(beside, { force: true })
  }
}

const readHolder = async (path: string) => parseMark(await readFile(path, 'utf8').catch(() => null))
