/** Something that has to be looked at again at a certain time. */
export interface Timed {
  /** The slot it stands in; -1 when it is in none. Kept by the wheel. */
  slot: number
}

/**
 * A timing wheel for very many deadlines that keep moving. A heartbeat does not touch it: whoever comes due is asked
 * for its deadline then, and put back when that lies ahead. So moving a deadline costs nothing, and coming due early
 * costs one look. Deadlines beyond the horizon come up at the horizon and are put back.
 */
export function createWheel<Entry extends Timed>(startMs: number, slotMs = 250, slotCount = 512) {
  const slots = Array.from({ length: slotCount }, () => new Set<Entry>())
  let tick = Math.floor(startMs / slotMs)

  const remove = (entry: Entry) => {
    if (entry.slot >= 0) slots[entry.slot]!.delete(entry)
    entry.slot = -1
  }

  return {
    remove,

    /** Has the entry come up at `dueMs`, or up to one slot later. */
    schedule(entry: Entry, dueMs: number): void {
      remove(entry)
      const at = Math.min(Math.max(Math.ceil(dueMs / slotMs), tick + 1), tick + slotCount - 1)
      entry.slot = at % slotCount
      slots[entry.slot]!.add(entry)
    },

    /** Takes out all that has come due by `nowMs`. */
    advance(nowMs: number): readonly Entry[] {
      const due: Entry[] = []
      const until = Math.floor(nowMs / slotMs)
      // After a long pause every slot is passed once; going round more often would find nothing new.
      for (let steps = 0; tick < until && steps < slotCount; steps++) {
        tick++
        const slot = slots[tick % slotCount]!
        for (const entry of slot) {
          entry.slot = -1
          due.push(entry)
        }
        slot.clear()
      }
      tick = Math.max(tick, until)
      return due
    },
  }
}
