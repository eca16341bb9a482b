import { expect, it } from 'vitest'
import { Berths } from '#libs/outbound/berths.ts'

it('no more are under way at once than may be, the others follow in order, and one may go first', async () => {
  const berths = new Berths(2)
  const begun: string[] = []
  const ends: (() => void)[] = []
  const work = (name: string) => () => {
    begun.push(name)
    return new Promise<string>((resolve) => ends.push(() => resolve(name)))
  }
  const all = ['a', 'b', 'c', 'd'].map((name) => berths.run(work(name)))
  const first = berths.run(work('now'), true)
  expect(begun).toEqual(['a', 'b'])
  ends.shift()!()
  await all[0]
  await Promise.resolve()
  expect(begun).toEqual(['a', 'b', 'now'])
  while (ends.length > 0) {
    ends.shift()!()
    for (let turn = 0; turn < 5; turn++) await Promise.resolve()
  }
  expect(await Promise.all([...all, first])).toEqual(['a', 'b', 'c', 'd', 'now'])
  expect(begun).toEqual(['a', 'b', 'now', 'c', 'd'])
})

it('work that fails makes room as well', async () => {
  const berths = new Berths(1)
  const failing = berths.run(() => Promise.reject(new Error('no')))
  const next = berths.run(async () => 'yes')
  await expect(failing).rejects.toThrow('no')
  expect(await next).toBe('yes')
})
