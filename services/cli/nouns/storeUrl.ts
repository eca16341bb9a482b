import type { EventStore } from '#libs/store/store.ts'
import type { Context, Io } from '../context.ts'
import { CliError, exits, usage } from '../exit.ts'

export interface Given {
  readonly url: string
  readonly data: string | undefined
  readonly lookOnly: boolean
}

/** The store that was named. What it has to warn of goes to standard error. */
export async function openGiven({ clock, note }: Context, env: Io['env'], given: Given): Promise<EventStore> {
  const { openStore } = await import('#libs/store/open.ts')
  const { url, lookOnly } = given
  if (url.startsWith('memory:'))
    throw usage('memory: is no store that could be checked or moved.', 'remuda store --help')
  const dataFolder = given.data ?? (env['REMUDA_DATA'] || 'data')
  const log = { warn: (_details: object, message: string) => note(`warning: ${message}`) }
  return openStore(url, { clock, dataFolder, lookOnly, log })
}

/** Turns what stores throw into what the command line says. */
export async function sayWhy<Answer>(work: () => Promise<Answer>): Promise<Answer> {
  const [{ StoreFault }, { CopyRefused }] = await Promise.all([
    import('#libs/store/store.ts'),
    import('#libs/store/copy.ts'),
  ])
  try {
    return await work()
  } catch (error) {
    if (error instanceof CopyRefused)
      throw new CliError(exits.refused, 'STORE_DIFFERS', error.message, 'copy to a new store, or check both URLs')
    if (error instanceof StoreFault) throw new CliError(exits.fault, 'STORE_FAULT', error.message)
    throw error
  }
}
