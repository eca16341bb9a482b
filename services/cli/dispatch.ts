import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'
import { onStopSignal } from '#libs/lifecycle.ts'

/** Words that start a process of their own instead of asking a server, and where each one's program lies. */
const entries: Readonly<Record<string, URL>> = {
  serve: new URL('../main.ts', import.meta.url),
  agent: new URL('../agent/main.ts', import.meta.url),
  demo: new URL('./demo/main.ts', import.meta.url),
  fleet: new URL('../agent/fleet/main.ts', import.meta.url),
}

export const isEntry = (word: string | undefined): word is string => word !== undefined && Object.hasOwn(entries, word)

/**
 * Runs such a program in place of this one: same terminal, same signals, and its exit code becomes ours.
 * @returns the exit code; 128 and the signal's number when a signal ended it, as shells have it
 */
export async function runEntry(word: string, argv: readonly string[]): Promise<number> {
  const entry = entries[word]
  if (entry === undefined) throw new Error(`${word} is no program of ours`)
  const argumentsOfNode = [...process.execArgv, fileURLToPath(entry), ...argv]
  const child = spawn(process.execPath, argumentsOfNode, { stdio: 'inherit' })
  using _ = onStopSignal((signal) => {
    // Ctrl-C reaches the whole foreground group by itself; passing it on would be a second one, which means "at once".
    if (signal === 'SIGINT' && process.stdin.isTTY) return
    child.kill(signal)
  })
  // Awaited here, since the signals are passed on only until this function returns.
  return await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])))
  })
}
