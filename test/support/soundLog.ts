import { expect } from 'vitest'
import type { EventRow } from '#contracts/eventRow.ts'

const pageMax = 1_000

/** Asks the public API for a list. */
export type AskForEvents = (address: string) => Promise<{ readonly items: readonly EventRow[] }>

/** Versions without gaps, positions that only grow, and no machine that was blamed for what we did not do. */
export async function expectSoundLog(ask: AskForEvents): Promise<number> {
  const versions = new Map<string, number>()
  let position = 0
  for (let count = 0; ;) {
    const { items } = await ask(`events?after=${position}&limit=${pageMax}`)
    if (items.length === 0) return count
    count += items.length
    for (const event of items) {
      expect(event.position).toBeGreaterThan(position)
      position = event.position
      expect(event.streamversion, event.stream).toBe((versions.get(event.stream) ?? 0) + 1)
      versions.set(event.stream, event.streamversion)
      expect(event.type).not.toBe('MachineDeregistered')
      expect(event.type).not.toBe('MachineBecameUnavailable')
    }
  }
}
