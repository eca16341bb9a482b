import { describe, expect, it } from 'vitest'
import { factSchemas } from '#contracts/facts.ts'
import { copyStore } from '#libs/store/copy.ts'
import { openMemoryStore } from '#libs/store/memory.ts'
import { verifyFacts } from '#libs/store/verifyFacts.ts'
import { systemClock as clock } from '#libs/systemClock.ts'
import { goldenFacts } from '#test/support/golden.ts'
import { mustAppend, noted, someCause } from '#test/support/store.ts'

const { signal } = new AbortController()
const memory = () => openMemoryStore({ clock })

describe('verifying what a store holds', () => {
  it('reads every type there is, and names those it does not know', async () => {
    await using store = memory()
    for (const [version, fact] of goldenFacts.entries()) await mustAppend(store, 'golden', version, fact)
    await store.append('newer', 0, [noted(1), noted(2), { type: 'Later', data: {} }], someCause)
    const found = await verifyFacts(store, factSchemas, signal)
    expect(found).toMatchObject({
      events: goldenFacts.length + 3,
      streams: 2,
      problems: [],
      unknown: { Noted: 2, Later: 1 },
    })
    expect(found.sha256).toBe((await copyStore({ from: store, to: memory(), signal })).sha256)
    expect([...factSchemas.keys()].toSorted()).toEqual(goldenFacts.map(({ type }) => type).toSorted())
  })

  it('says which event can not be read, and why', async () => {
    await using store = memory()
    await mustAppend(store, 'machine-a', 0, noted(1), { type: 'TokenRevoked', data: { tokenId: 7 } })
    const { problems } = await verifyFacts(store, factSchemas, signal)
    expect(problems).toEqual([expect.stringMatching(/^position 2: TokenRevoked can not be read: data\.tokenId: /)])
  })
})
