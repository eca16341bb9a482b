import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Clock } from '#libs/clock.ts'
import { Program } from './program.ts'

export const serverMain = fileURLToPath(new URL('../../main.ts', import.meta.url))

/** What the demo plays with: all of Remuda, behind one address. */
export interface ControlPlane extends AsyncDisposable {
  readonly url: string
  readonly adminToken: string
}

/** The address at which a server says that it can be reached. */
export const addressIn = (said: string): string =>
  /(?:console|health) +(http:\S+?)\/(?:healthz)?\s/.exec(said)?.[1] ?? ''

/**
 * Starts Remuda as one process that does everything, with everything in the folder.
 * @param port 0 for any that is free
 */
export async function startSingle(
  clock: Clock,
  folder: string,
  port: number,
  stop: AbortSignal,
): Promise<ControlPlane> {
  const data = join(folder, 'data')
  const flags = ['--port', String(port), '--data', data, '--worker', '--log-level', 'warn']
  const server = await Program.start(
    clock,
    {
      name: 'The server',
      command: process.execPath,
      args: [serverMain, ...flags],
      logFile: join(folder, 'server.log'),
      env: { HOME: folder },
      stop,
    },
    (said) => addressIn(said) !== '',
  )
  return {
    url: addressIn(server.said()),
    adminToken: (await readFile(join(data, 'admin-token'), 'utf8')).trim(),
    [Symbol.asyncDispose]: () => server.end(),
  }
}
