import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { AcceptedAnswer, Answer } from '#contracts/command.ts'
import type { MachineEvent, RemovalCause } from '#contracts/machine.ts'
import { startRegistry } from '#services/registry/service.ts'
import { register, reregister } from './machine/samples.ts'
import { cause, testPlatform } from './platform.ts'

async function registry() {
  const platform = testPlatform()
  const service = await startRegistry(platform)
  onTestFinished(() => service[Symbol.asyncDispose]())
  const ask = (command: { type: string; data: object }): Promise<Answer> => platform.ask('registry', command, cause())
  for (const environmentId of ['staging', 'production'])
    await ask({ type: 'CreateEnvironment', data: { environmentId, name: environmentId } })
  const remove = (machineId: string, kind: RemovalCause['kind'] = 'policy') => {
    const why = { kind, reason: 'silent', decisionId: 'd1', deploymentId: null }
    return ask({ type: 'DeregisterMachine', data: { machineId, cause: why, evidence: null, policyVersion: 1 } })
  }
  const events = async () => (await platform.store.readAll(0, 10_000)) as unknown as readonly MachineEvent[]
  /** Who is registered, by id. */
  const registered = async () => {
    const names = new Map<string, string>()
    for (const { type, data } of await events()) {
      if (type === 'MachineRegistered' || type === 'MachineRestored') names.set(data.machineId, data.name)
      if (type === 'MachineDeregistered') names.delete(data.machineId)
    }
    return Object.fromEntries(names)
  }
  return { ask, remove, events, registered }
}
const result = (answer: Answer) => (answer as AcceptedAnswer).result
const keyOf = (machineId: string) => machineId.padEnd(43, 'x').slice(0, 43)
const comes = (machineId: string, name: string, environmentId = 'staging') =>
  register({ machineId, name, environmentId, publicKey: keyOf(machineId) })

describe('removing a machine', () => {
  const alike = [
    ['web-1', 'web-1'],
    ['web-10', 'web-10'],
    ['web', 'WEB-1'],
    ['web-1-2', 'web-1-2'],
    ['eb-1', 'web-11'],
  ] as const

  it.each(alike)('touches no other of similar id, name or key: %s', async (machineId) => {
    const { ask, remove, registered } = await registry()
    for (const [id, name] of alike) expect(await ask(comes(id, name))).toMatchObject({ accepted: true })
    const before = await registered()
    await remove(machineId)
    const { [machineId]: gone, ...others } = before
    expect(gone).toBeDefined()
    expect(await registered()).toEqual(others)
  })
  it('touches none in another environment that has the same name', async () => {
    const { ask, remove, registered } = await registry()
    await ask(comes('m-1', 'web'))
    await ask(comes('m-2', 'web', 'production'))
    await remove('m-1')
    expect(await registered()).toEqual({ 'm-2': 'web' })
  })
  it('touches no other, whatever comes, goes and comes back', async () => {
    const ids = ['m', 'm-1', 'm-10', 'm-1-0', '1']
    const happening = fc.record({
      machineId: fc.constantFrom(...ids),
      does: fc.constantFrom('comes' as const, 'returns' as const, 'goes' as const),
      name: fc.constantFrom('web', 'web-1', 'Web'),
    })
    const holds = async (course: readonly { machineId: string; does: string; name: string }[]) => {
      const { ask, remove, registered } = await registry()
      for (const { machineId, does, name } of course) {
        const { [machineId]: _, ...othersBefore } = await registered()
        if (does === 'comes') await ask(comes(machineId, name))
        if (does === 'returns') await ask(reregister({ machineId }))
        if (does === 'goes') await remove(machineId)
        const { [machineId]: now, ...others } = await registered()
        expect(others).toEqual(othersBefore)
        if (does === 'goes') expect(now).toBeUndefined()
        const names = Object.values(await registered())
        expect(new Set(names).size).toBe(names.length)
      }
    }
    await fc.assert(fc.asyncProperty(fc.array(happening, { maxLength: 20 }), holds), { numRuns: 25 })
  }, 30_000)
})

describe('the name of a machine that was removed', () => {
  it('is free at once, and the one who had it comes back under another, with its id', async () => {
    const { ask, remove, registered } = await registry()
    await ask(comes('m-1', 'web'))
    await remove('m-1')
    expect(await ask(comes('m-2', 'web'))).toMatchObject({ accepted: true, result: { name: 'web' } })

    const back = await ask(reregister({ machineId: 'm-1' }))
    expect(result(back)).toMatchObject({ machineId: 'm-1', name: 'web-2', returnedFrom: { decisionId: 'd1' } })
    expect(await registered()).toEqual({ 'm-2': 'web', 'm-1': 'web-2' })
  })
  it('is its own again when nobody has taken it', async () => {
    const { ask, remove } = await registry()
    await ask(comes('m-1', 'web'))
    await remove('m-1')
    await ask(comes('m-2', 'web'))
    await remove('m-2', 'person')
    expect(result(await ask(reregister({ machineId: 'm-1' })))).toMatchObject({ machineId: 'm-1', name: 'web' })
  })
  it('can be given and taken again and again', async () => {
    const { ask, remove, registered } = await registry()
    for (let round = 1; round <= 20; round++) {
      expect(await ask(comes(`m-${round}`, 'web'))).toMatchObject({ accepted: true, result: { name: 'web' } })
      await remove(`m-${round}`, 'person')
    }
    expect(await registered()).toEqual({})
  })
})
