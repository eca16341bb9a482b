import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '#libs/clock.ts'
import type { CheckRunner } from '../ports.ts'
import { clearLeftover, makeFolder, removeFolder, runScript, type ScriptLimits } from '../script.ts'

const checkVariable = 'REMUDA_CHECK'

export interface CheckRunnerOptions extends Partial<ScriptLimits> {
  readonly clock: Clock
  /** The agent's data folder. Each check runs in a folder of its own below it, which is removed afterwards. */
  readonly folder: string
}

/** A check has nothing to wind up, so it is not given long to end. */
const defaults = { killGraceMs: 1_000, leftoverGraceMs: 1_000, unkillableMs: 10_000 }

/** Runs checks as processes of this machine. See `runScript`. */
export function createCheckRunner({ folder: root, ...given }: CheckRunnerOptions): CheckRunner {
  const limits: ScriptLimits = { ...defaults, ...given }
  const all = join(root, 'checks')
  return {
    async run({ name, interpreter, script, timeoutMs: timeLimitMs }, run) {
      const folder = join(all, name)
      try {
        await makeFolder(folder)
        return await runScript(
          folder,
          { interpreter, script, timeLimitMs, environment: environmentFor(name) },
          run,
          limits,
        )
      } catch (error) {
        return { reason: 'could-not-start', exitCode: null, detail: String(error) }
      } finally {
        await removeFolder(folder)
      }
    },
    async clearAway() {
      const names = await readdir(all).catch(() => [])
      await Promise.all(names.map((name) => clearLeftover(join(all, name), [checkVariable, name], limits)))
    },
  }
}

const environmentFor = (name: string) => ({ [checkVariable]: name })
