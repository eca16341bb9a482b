import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Inventory } from '#services/policy/provider/inventory.ts'
import { ProviderFault, type Provider } from '#services/policy/provider/provider.ts'

export interface ProviderUnderTest extends AsyncDisposable {
  readonly provider: Provider
  /** Has the provider say this from now on, byte for byte. */
  says(text: string): Promise<void>
  /** From now on nobody can be asked at all. */
  fails(): Promise<void>
}

/** More than a provider under test takes in one answer. */
export const bytesMax = 100_000
const running = (...names: readonly string[]) => names.map((name) => ({ name, state: 'running' }))

export const listOf = (provider: Provider, signal = AbortSignal.timeout(10_000)): Promise<Inventory> =>
  provider.list(signal)

/** The words in which it is told that there is no answer; any other end fails the test. */
export async function faultOf(asked: Promise<unknown>): Promise<string> {
  const error = await asked.then(
    (answer) => expect.unreachable(`it answered ${JSON.stringify(answer)}`),
    (error: unknown) => error,
  )
  expect(error).toBeInstanceOf(ProviderFault)
  return (error as ProviderFault).message
}

const wrong: readonly (readonly [string, string, RegExp])[] = [
  ['text', 'machines are fine', /no inventory|not JSON/],
  ['nothing at all', '', /empty|not JSON/],
  ['a list', '[]', /no inventory: it/],
  ['another document', '{ "error": "throttled" }', /no inventory: machines/],
  ['JSON that is cut off', '{ "complete": true, "machines": [{ "name": "web-1", "state": "running" }', /not JSON/],
  ['a state nobody knows', '{ "machines": [{ "name": "web-1", "state": "hunter2" }] }', /machines\.0\.state/],
  ['a machine without a key', '{ "machines": [{ "state": "running" }] }', /an id, an instanceId or a name/],
  ['a key that is no text', '{ "machines": [{ "id": 7, "state": "running" }] }', /machines\.0\.id/],
  ['a half truth', '{ "machines": [], "complete": "true" }', /complete/],
  ['nothing, completely', '{ "machines": [], "complete": true }', /no evidence/],
]

/** What every provider must do, wherever its answers come from. */
export function providerConformance(name: string, open: () => Promise<ProviderUnderTest>): void {
  let under: ProviderUnderTest
  beforeEach(async () => void (under = await open()))
  afterEach(() => under[Symbol.asyncDispose]())
  const saysNow = async (value: object) => {
    await under.says(JSON.stringify(value))
    return listOf(under.provider)
  }

  describe(`${name}, as a provider`, () => {
    it('lists machines by whatever they are called, with their states', async () => {
      const machines = [
        { id: 'm-1', state: 'running' },
        { instanceId: 'i-2', state: 'stopped' },
        { name: 'web-3', environment: 'production', state: 'terminated' },
      ]
      expect(await saysNow({ machines, complete: true })).toEqual({ machines, complete: true })
    })
    it('is taken for incomplete when it does not say that it is not', async () => {
      expect(await saysNow({ machines: running('web-1') })).toMatchObject({ complete: false })
      expect(await saysNow({ machines: [] })).toEqual({ machines: [], complete: false })
    })
    it('says what is true now, each time', async () => {
      for (const state of ['running', 'stopped', 'terminated', 'running'])
        expect((await saysNow({ machines: [{ id: 'm-1', state }] })).machines).toEqual([{ id: 'm-1', state }])
    })
    it('may say more of a machine than is asked for, and nothing where others have a key', async () => {
      const [machine] = (await saysNow({ machines: [{ id: null, name: 'web-1', zone: 'a', state: 'running' }] }))
        .machines
      expect(machine).toEqual({ id: null, name: 'web-1', state: 'running' })
    })
    it('has a fault, and no answer, when it cannot be asked; and answers when it can again', async () => {
      await saysNow({ machines: running('web-1') })
      await under.fails()
      await faultOf(listOf(under.provider))
      expect(await saysNow({ machines: running('web-2') })).toMatchObject({ machines: running('web-2') })
    })
    it.each(wrong)('trusts nothing of %s, and repeats nothing of it', async (_, text, words) => {
      await under.says(text)
      const said = await faultOf(listOf(under.provider))
      expect(said).toMatch(words)
      expect(said).not.toMatch(/hunter2|throttled|web-1/)
    })
    it('trusts no answer that is larger than it may be', async () => {
      const few = { machines: running(...Array.from({ length: 1_000 }, (_, n) => `web-${n}`)) }
      expect((await saysNow(few)).machines).toHaveLength(1_000)
      const text = JSON.stringify(few)
      await under.says(text + ' '.repeat(bytesMax - text.length))
      expect((await listOf(under.provider)).machines).toHaveLength(1_000)
      await under.says(text + ' '.repeat(bytesMax - text.length + 1))
      expect(await faultOf(listOf(under.provider))).toContain(`more than ${bytesMax} bytes`)
    })
    it('tells of a few mistakes by name, and counts the others', async () => {
      await under.says(JSON.stringify({ machines: Array.from({ length: 50 }, () => ({ state: 'running' })) }))
      expect(await faultOf(listOf(under.provider))).toMatch(/machines\.0: .*machines\.2: .*; 47 more$/)
    })
    it('ends with the reason of who ends it', async () => {
      await under.says(JSON.stringify({ machines: running('web-1') }))
      const reason = new Error('enough')
      await expect(listOf(under.provider, AbortSignal.abort(reason))).rejects.toBe(reason)
      expect((await listOf(under.provider)).machines).toHaveLength(1)
    })
  })
}
