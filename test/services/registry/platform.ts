import { onTestFinished } from 'vitest'
import type { Cause } from '#contracts/message.ts'
import { createAsk } from '#libs/ask.ts'
import { createMemoryBus } from '#libs/bus/memory.ts'
import { silentLog } from '#libs/log.ts'
import type { Platform } from '#libs/platform.ts'
import { startRelay } from '#libs/relay.ts'
import { openMemoryStore } from '#libs/store/memory.ts'
import { systemClock } from '#libs/systemClock.ts'

/** Everything a service stands on, in memory, with a relay that carries events to the bus; closed when the test ends. */
export function testPlatform(changes: Partial<Platform> = {}): Platform {
  const clock = changes.clock ?? systemClock
  const log = silentLog
  const store = changes.store ?? openMemoryStore({ clock })
  const bus = changes.bus ?? createMemoryBus({ clock, log })
  const relay = startRelay({ store, bus, clock, log })
  onTestFinished(async () => {
    await relay[Symbol.asyncDispose]()
    await bus[Symbol.asyncDispose]()
    await store[Symbol.asyncDispose]()
  })
  return { store, bus, clock, log, ask: createAsk(bus, { timeoutMs: 5_000 }) }
}

let causes = 0
/** Somebody asks for something, for the first time. */
export const cause = (commandId = `c-${(causes += 1)}`): Cause => ({
  actor: 'tester',
  commandId,
  correlationId: commandId,
  causationId: null,
})
