import { describe, expect, it } from 'vitest'
import type { Parked } from '#libs/store/store.ts'
import { everythingIn, expectInOrder, mustAppend, noted, someCause, type StoreHome } from '#test/support/store.ts'

const parked = (reactor: string, position: number): Parked => ({
  reactor,
  position,
  stream: 'machine-a',
  type: 'Noted',
  reason: 'it would not',
  attempts: 3,
  parkedAt: 1_790_000_000_000,
})

export function keeping(createHome: () => StoreHome): void {
  describe('beside the events', () => {
    it('keeps the newest snapshot of a stream for each schema', async () => {
      using home = createHome()
      await using store = await home.open()
      expect(await store.loadSnapshot('machine-a', 'machine.v1')).toBeNull()
      await store.saveSnapshot('machine-a', { schema: 'machine.v1', version: 10, state: { roles: ['web'] } })
      await store.saveSnapshot('machine-a', { schema: 'machine.v1', version: 9, state: { roles: ['late'] } })
      await store.saveSnapshot('machine-a', { schema: 'machine.v2', version: 4, state: null })
      expect(await store.loadSnapshot('machine-a', 'machine.v1')).toEqual({
        schema: 'machine.v1',
        version: 10,
        state: { roles: ['web'] },
      })
      expect(await store.loadSnapshot('machine-a', 'machine.v2')).toMatchObject({ version: 4, state: null })
      expect(await store.loadSnapshot('machine-b', 'machine.v1')).toBeNull()
    })

    it('keeps checkpoints, which never go back', async () => {
      using home = createHome()
      await using store = await home.open()
      expect(await store.loadCheckpoint('relay')).toBe(0)
      await Promise.all([
        store.saveCheckpoint('relay', 7),
        store.saveCheckpoint('relay', 5),
        store.saveCheckpoint('policy', 2),
      ])
      expect([await store.loadCheckpoint('relay'), await store.loadCheckpoint('policy')]).toEqual([7, 2])
    })

    it('keeps parked events until they are taken out', async () => {
      using home = createHome()
      await using store = await home.open()
      await store.park(parked('policy', 9))
      await store.park(parked('deployment', 4))
      await store.park({ ...parked('policy', 9), attempts: 4 })
      expect(await store.listParked()).toEqual([parked('deployment', 4), { ...parked('policy', 9), attempts: 4 }])
      await store.unpark('deployment', 4)
      await store.unpark('deployment', 4)
      expect(await store.listParked()).toEqual([{ ...parked('policy', 9), attempts: 4 }])
    })

    it('refuses what it could not keep without harm to what is appended with it', async () => {
      using home = createHome()
      await using store = await home.open()
      const appended = mustAppend(store, 'machine-a', 0, noted(1))
      await expect(store.saveCheckpoint('relay', NaN)).rejects.toThrow(RangeError)
      await expect(store.saveSnapshot('machine-a', { schema: 's', version: 1, state: undefined })).rejects.toThrow(
        RangeError,
      )
      await expect(store.park({ ...parked('policy', 1), attempts: 0.5 })).rejects.toThrow(RangeError)
      expect(await appended).toHaveLength(1)
    })
  })

  describe('when it is closed and opened again', () => {
    it('knows everything it knew, and goes on where it was', async () => {
      using home = createHome()
      let before
      {
        await using store = await home.open()
        for (let version = 0; version < 3; version++) await mustAppend(store, 'machine-a', version, noted(version))
        await mustAppend(store, 'machine-b', 0, { type: 'Other', data: [] })
        await store.saveCheckpoint('relay', 3)
        await store.park(parked('policy', 2))
        await store.saveSnapshot('machine-a', { schema: 's', version: 3, state: [1] })
        before = { events: await everythingIn(store), epoch: store.epoch }
      }
      await using store = await home.open()
      expect(await everythingIn(store)).toEqual(before.events)
      expect(store.epoch).toBe(before.epoch)
      expect(await store.loadCheckpoint('relay')).toBe(3)
      expect(await store.listParked()).toEqual([parked('policy', 2)])
      expect((await store.loadSnapshot('machine-a', 's'))?.state).toEqual([1])
      expect(await store.append('machine-a', 2, [noted('late')], someCause)).toBe('conflict')
      const [next] = await mustAppend(store, 'machine-a', 3, noted('next'))
      expect(next?.meta.version).toBe(4)
      expectInOrder(home, [...before.events, next!])
    })

    it('answers nothing while it is closed', async () => {
      using home = createHome()
      const store = await home.open()
      await store[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
      const asked = [
        () => store.append('machine-a', 0, [noted(1)], someCause),
        () => store.read('machine-a'),
        () => store.readAll(0, 1),
        () => store.head(),
        () => store.saveCheckpoint('relay', 1),
        () => store.listParked(),
        () => store.verify(),
      ]
      for (const ask of asked) await expect(ask()).rejects.toMatchObject({ name: 'StoreFault' })
    })
  })
}
