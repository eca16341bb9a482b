import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Lines } from '#libs/lines.ts'

const togetherMax = 4

/** A line whose work takes a turn; what is done is noted in order. */
function startLine(atOnce = togetherMax) {
  const done: string[] = []
  const batches: number[] = []
  const work = async (_: string, items: readonly number[]) => {
    await Promise.resolve()
    const taken = items.slice(0, atOnce)
    batches.push(taken.length)
    done.push(...taken.map(String))
    return taken.map((item) => item * 2)
  }
  const lines = new Lines<number, number>({ waitingMax: 1_000, togetherMax, work })
  return { lines, done, batches }
}

describe('a line', () => {
  it('takes together what waits, in order, and answers each', async () => {
    const { lines, batches, done } = startLine()
    const answers = await Promise.all([1, 2, 3, 4, 5, 6, 7].map((item) => lines.join('a', item)!))
    expect(answers).toEqual([2, 4, 6, 8, 10, 12, 14])
    expect(done).toEqual(['1', '2', '3', '4', '5', '6', '7'])
    // The first begins before there are others.
    expect(batches).toEqual([1, 4, 2])
  })

  it('is not cut into pieces by what wants to run alone', async () => {
    const { lines, batches } = startLine()
    const all: unknown[] = []
    for (let item = 1; item <= 9; item++)
      all.push(
        lines.join('a', item),
        lines.alone('a', async () => {}),
      )
    await Promise.all(all)
    expect(batches).toEqual([1, 4, 4])
  })

  it('turns away what is too much', () => {
    const lines = new Lines<number, number>({ waitingMax: 1, togetherMax, work: () => new Promise(() => {}) })
    expect(lines.join('a', 1)).not.toBeNull()
    expect(lines.join('a', 2)).not.toBeNull()
    expect(lines.join('a', 3)).toBeNull()
    expect(lines.join('b', 1)).not.toBeNull()
  })

  it('keeps items in order, and lets what runs alone see all that came before it, whatever is mixed how', async () => {
    const entry = fc.constantFrom('item', 'alone')
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { maxLength: 40 }), fc.integer({ min: 1, max: 4 }), async (entries, atOnce) => {
        const { lines, done } = startLine(atOnce)
        let [running, items] = [0, 0]
        const all = entries.map((kind) => {
          if (kind === 'item') return lines.join('a', (items += 1))!
          const before = items
          return lines.alone('a', async () => {
            running += 1
            expect(running).toBe(1)
            expect(done.length).toBeGreaterThanOrEqual(before)
            await Promise.resolve()
            running -= 1
          })
        })
        await Promise.all(all)
        expect(done).toEqual(Array.from({ length: items }, (_, at) => String(at + 1)))
      }),
    )
  })
})
