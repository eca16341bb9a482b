import { describe, expect, it } from 'vitest'
import type { Message } from '#contracts/message.ts'
import { Fenced, type EventStore } from '#libs/store/store.ts'
import { Town } from './control.ts'

const cause = { actor: 'test', commandId: 'c', correlationId: 'c', causationId: null }
const note: Message = { type: 'Noted', data: {} }
const append = async (store: EventStore | undefined, stream = 'machine-a') => store!.append(stream, 0, [note], cause)

describe('work that one process does', () => {
  it('is done by whoever comes first; others stand by', async () => {
    const town = new Town(1)
    const [a, b] = [await town.process('a'), await town.process('b')]
    await town.pass(60_000)
    expect([a.began, b.began, a.ended]).toEqual([[0], [], []])
    expect([a.member.held(), b.member.held()]).toEqual([[0], []])
  })
  it('goes to another one at once when it is given up in good order', async () => {
    const town = new Town(1)
    const [a, b] = [await town.process('a'), await town.process('b')]
    await a.member[Symbol.asyncDispose]()
    await town.pass(10)
    expect([a.ended, b.began]).toEqual([['gave up 0'], [0]])
  })
  it('goes to another one within seconds when its process is killed', async () => {
    const town = new Town(1)
    const [a, b] = [await town.process('a'), await town.process('b')]
    await town.pass(3_000)
    a.die()
    await town.pass(4_000)
    expect(b.began).toEqual([])
    await town.pass(3_000)
    expect(b.began).toEqual([0])
  })
  it('can no longer be written by a process that does not know that it has lost it', async () => {
    const town = new Town(1)
    const [a, b] = [await town.process('a'), await town.process('b')]
    a.die()
    await town.pass(10_000)
    await expect(append(a.stores.get(0))).rejects.toThrow(Fenced)
    expect(await append(b.stores.get(0))).toHaveLength(1)
  })
  it('is let go of by a process that was cut off when it sees that another one does it', async () => {
    const town = new Town(1)
    const [a, b] = [await town.process('a'), await town.process('b')]
    a.isCutOff = true
    await town.pass(10_000)
    expect(b.began).toEqual([0])
    // The table is away for it, but the store tells it.
    expect(a.ended).toEqual(['abandoned 0'])
    a.isCutOff = false
    await town.pass(10_000)
    expect([a.member.held(), b.member.held()]).toEqual([[], [0]])
  })
  it.each([
    ['is away for long', false],
    ['loses everything', true],
  ])('goes on where it is while the table %s', async (_, isWiped) => {
    const town = new Town(1)
    const [a, b] = [await town.process('a'), await town.process('b')]
    await town.pass(3_000)
    town.table.isAway = true
    await town.pass(60_000)
    if (isWiped) town.table.wipe()
    town.table.isAway = false
    await town.pass(60_000)
    expect([a.began, b.began, a.ended]).toEqual([[0], [], []])
    expect(town.log.lines.filter((line) => /roster of a service is away/.test(line))).toHaveLength(2)
  })
})

describe('a table that has lost everything', () => {
  it('does not hand the work to whoever looks first', async () => {
    const town = new Town(1)
    const [a, b] = [await town.process('a'), await town.process('b')]
    await town.pass(3_000)
    town.table.wipe()
    // For the length of one look only the other one sees the table, on which nobody holds anything any more.
    a.isCutOff = true
    await town.pass(1_000)
    a.isCutOff = false
    await town.pass(60_000)
    expect([a.began, b.began, a.ended]).toEqual([[0], [], []])
  })
})

describe('work that is shared out', () => {
  it('is done whole, by each process its part, whoever comes and goes', async () => {
    const town = new Town(16)
    const processes = [await town.process('a')]
    expect(processes[0]!.member.held()).toHaveLength(16)
    for (const name of ['b', 'c', 'd']) {
      processes.push(await town.process(name))
      await town.pass(15_000)
      const held = processes.map(({ member }) => member.held())
      expect(new Set(held.flat()).size).toBe(16)
      const counts = held.map(({ length }) => length)
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1)
    }
    processes[0]!.die()
    await processes[1]!.member[Symbol.asyncDispose]()
    await town.pass(10_000)
    const left = processes.slice(2).map(({ member }) => member.held())
    expect(left.map(({ length }) => length)).toEqual([8, 8])
    expect(new Set(left.flat()).size).toBe(16)
  })
  it('is never done by two processes that can both write', async () => {
    const town = new Town(4)
    const processes = [await town.process('a'), await town.process('b'), await town.process('c')]
    for (let round = 0; round < 12; round++) {
      const process = processes[round % 3]!
      process.isCutOff = !process.isCutOff
      await town.pass(7_000)
      for (let partition = 0; partition < 4; partition++) {
        const writers = await Promise.allSettled(
          processes.map(({ stores }) => append(stores.get(partition), `machine-${round}-${partition}`)),
        )
        expect(writers.filter(({ status }) => status === 'fulfilled').length).toBeLessThanOrEqual(1)
      }
    }
  })
})
