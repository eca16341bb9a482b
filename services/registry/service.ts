import { startConsumer } from '#libs/consume.ts'
import type { Platform } from '#libs/platform.ts'
import { createHandlers } from './handlers.ts'
import { startInbox } from './inbox.ts'
import { Names } from './names.ts'
import { readAll } from './readAll.ts'

export interface Registry extends AsyncDisposable {
  /** Resolves with the fault after which the registry no longer follows the store; never, as long as all goes on. */
  readonly failure: Promise<Error>
}

/**
 * Decides who exists: environments, machines, join tokens and API tokens. Answers once it has read the whole log,
 * since a name can only be given to a machine by who knows all the others.
 */
export async function startRegistry(platform: Platform): Promise<Registry> {
  const { store, bus, clock, log } = platform
  const names = new Names()
  const after = await readAll(store, names.apply)
  const following = startConsumer({ name: 'registry.names', store, bus, clock, log, after, handle: names.apply })
  const inbox = startInbox(platform, createHandlers(platform, names))

  return {
    failure: following.failure,
    async [Symbol.asyncDispose]() {
      inbox.stop()
      await following[Symbol.asyncDispose]()
    },
  }
}
