import { expect, it } from 'vitest'
import { mustAppend, noted, sqliteHome } from '#test/support/store.ts'

const filling = 'x'.repeat(50_000)
const withinMs = 10_000

it('a backup of a large store ends while others write all the time', { timeout: 4 * withinMs }, async () => {
  using home = sqliteHome()
  await using store = await home.open()
  for (let version = 0; version < 400; version++) await mustAppend(store, 'machine-before', version, noted(filling))

  let copying = true
  const writing = Promise.all(
    Array.from({ length: 4 }, async (_, writer) => {
      for (let version = 0; copying; version++) await mustAppend(store, `machine-${writer}`, version, noted(version))
    }),
  )
  const late = Promise.withResolvers<string>()
  const timer = setTimeout(() => late.resolve('it began again and again'), withinMs)
  const outcome = await Promise.race([store.backup(home.target('copy')).then(() => 'done'), late.promise])
  clearTimeout(timer)
  copying = false
  await writing
  expect(outcome).toBe('done')
})
