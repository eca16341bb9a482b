import { describe, expect, it } from 'vitest'
import type { EventStore } from '#libs/store/store.ts'
import { everythingIn, mustAppend, noted, type StoreHome } from '#test/support/store.ts'

export function backingUp(createHome: () => StoreHome): void {
  /** A store that others back up says what they and we have to do; every other one is tested. */
  const withBackups = (test: (home: StoreHome, store: EventStore) => Promise<void>) => async () => {
    using home = createHome()
    await using store = await home.open()
    if (home.lacks?.includes('backups'))
      await expect(store.backup('copy')).rejects.toMatchObject({
        name: 'StoreFault',
        message: expect.stringMatching(/backs it up.*After a restore/),
      })
    else await test(home, store)
  }

  describe('a backup', () => {
    it(
      'taken while many write is a prefix of what was stored, and is sound',
      withBackups(async (home, store) => {
        for (let version = 0; version < 200; version++)
          await mustAppend(store, 'machine-before', version, noted('x'.repeat(500)))

        let copying = true
        const writers = Array.from({ length: 4 }, async (_, writer) => {
          for (let version = 0; copying; version += 2)
            await mustAppend(store, `machine-${writer}`, version, noted(version), noted(version))
        })
        await store.backup(home.target('copy'))
        copying = false
        await Promise.all(writers)

        await using copy = await home.restore(home.target('copy'))
        const copied = await everythingIn(copy)
        expect(copied.length).toBeGreaterThanOrEqual(200)
        expect(copied).toEqual((await everythingIn(store)).slice(0, copied.length))
        expect((await copy.verify()).problems).toEqual([])
      }),
    )

    it(
      'starts a new epoch when it is opened as a store, and only then',
      withBackups(async (home, store) => {
        await mustAppend(store, 'machine-a', 0, noted(1))
        await store.backup(home.target('copy'))
        let first: number
        {
          await using copy = await home.restore(home.target('copy'))
          first = copy.epoch
          expect(first).toBeGreaterThan(store.epoch)
        }
        await using again = await home.restore(home.target('copy'))
        expect(again.epoch).toBe(first)
      }),
    )

    it(
      'never replaces another',
      withBackups(async (home, store) => {
        await store.backup(home.target('copy'))
        await expect(store.backup(home.target('copy'))).rejects.toThrow(/already/)
      }),
    )
  })
}
