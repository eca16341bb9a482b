import { describe, expect, it } from 'vitest'
import { openMemoryStore } from '#libs/store/memory.ts'
import { createMemoryDisk } from '#libs/store/memoryDisk.ts'
import { systemClock as clock } from '#libs/systemClock.ts'
import { firstOf, memoryHome, mustAppend, noted, someCause } from '#test/support/store.ts'
import { conforms } from './conformance.ts'

conforms('memory', memoryHome)

describe('a store in memory', () => {
  it('waits for no turn of the event loop', async () => {
    await using store = openMemoryStore({ clock })
    let stored = false
    void store.append('machine-a', 0, [noted(1)], someCause).then(() => (stored = true))
    for (let turn = 0; turn < 5; turn++) await Promise.resolve()
    expect(stored).toBe(true)
  })

  it('may be opened twice over one disk: what one appends, the other reads and follows', async () => {
    const disk = createMemoryDisk()
    await using one = openMemoryStore({ clock, disk })
    await using other = openMemoryStore({ clock, disk })
    const followed = firstOf(other, 0, 1)
    await mustAppend(one, 'machine-a', 0, noted(1))
    expect(await followed).toHaveLength(1)
    expect(await other.append('machine-a', 0, [noted('late')], someCause)).toBe('conflict')
  })

  it('hands out events that nobody can change', async () => {
    await using store = openMemoryStore({ clock })
    const [event] = await mustAppend(store, 'machine-a', 0, noted(['web']))
    expect(() => (event?.data as { note: string[] } | undefined)?.note.push('changed')).toThrow(TypeError)
  })
})
