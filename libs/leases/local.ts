import type { EventStore } from '#libs/store/store.ts'
import type { Leases, Membership } from './leases.ts'

/** One process does all the work, so it has every lease as soon as it asks and for as long as it runs. */
export const createLocalLeases = (store: EventStore): Leases => ({
  partitions: 1,
  async join(service, partitions, take): Promise<Membership> {
    await using stack = new AsyncDisposableStack()
    const failures: Promise<unknown>[] = []
    const held = Array.from({ length: partitions }, (_, partition) => partition)
    for (const partition of held) failures.push(stack.use(await take({ service, partition, store })).failure)
    const resources = stack.move()
    return {
      held: () => held,
      failure: Promise.race(failures),
      [Symbol.asyncDispose]: () => resources.disposeAsync(),
    }
  },
  async [Symbol.asyncDispose]() {},
})
