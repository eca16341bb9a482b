import { beforeEach, describe, expect, it } from 'vitest'
import type { Answer } from '#contracts/command.ts'
import type { Cause, Message } from '#contracts/message.ts'
import { partitionOf } from '#contracts/partitions.ts'
import { answerCommands, createAsk } from '#libs/ask.ts'
import { BusFault, type Bus } from '#libs/bus/bus.ts'
import { createMemoryBus } from '#libs/bus/memory.ts'
import { silentLog } from '#libs/log.ts'
import { Fenced } from '#libs/store/store.ts'
import { add, causeOf, CounterCommand } from '../support/counter.ts'
import { createVirtualClock } from '../support/virtualClock.ts'

const clock = createVirtualClock()
let bus = createMemoryBus({ clock, log: silentLog })
let ask = createAsk(bus, { timeoutMs: 1_000 })
let handled: { command: Message; cause: Cause }[] = []

const accepted: Answer = { accepted: true, position: 7, result: { id: 'x' } }
const note = async (command: CounterCommand, cause: Cause): Promise<Answer> => {
  handled.push({ command, cause })
  return accepted
}
const handlers = { Add: note, SetTo: note, Close: note }

beforeEach(() => {
  bus = createMemoryBus({ clock, log: silentLog })
  ask = createAsk(bus, { timeoutMs: 1_000 })
  handled = []
})

describe('asking a service', () => {
  it('carries the command and its cause there, and the answer back', async () => {
    answerCommands(bus, 'registry', handlers, CounterCommand)
    expect(await ask('registry', add(3), causeOf('c1'))).toEqual(accepted)
    expect(handled).toEqual([{ command: add(3), cause: causeOf('c1') }])
  })

  it('gives each type of command to its handler', async () => {
    const refusal = { refused: 'MACHINE_REMOVED', detail: 'closed' } as const
    answerCommands(bus, 'registry', { ...handlers, Close: async () => refusal }, CounterCommand)
    expect(await ask('registry', { type: 'Close', data: { reason: 'x' } }, causeOf('c1'))).toEqual(refusal)
  })

  it('reaches one of several replicas', async () => {
    for (let replica = 0; replica < 3; replica++) answerCommands(bus, 'registry', handlers, CounterCommand)
    for (let n = 0; n < 6; n++) await ask('registry', add(1), causeOf(`c${n}`))
    expect(handled).toHaveLength(6)
  })

  it('waits longer for what takes longer', async () => {
    const patient = createAsk(bus, { timeoutMs: 1_000, timeoutsMs: { Add: 5_000 } })
    const slowly = async () => {
      await clock.sleep(3_000)
      return accepted
    }
    answerCommands(bus, 'registry', { Add: slowly, SetTo: slowly, Close: note }, CounterCommand)
    const [added, set] = [add(1), { type: 'SetTo', data: { value: 1 } }].map((command) =>
      patient('registry', command, causeOf('c1')).catch((error: unknown) => error),
    )
    await clock.advance(3_000)
    expect(await added).toEqual(accepted)
    expect(await set).toMatchObject({ reason: 'timeout' })
  })

  it('is a fault when the service is not there, does not answer in time, or fails', async () => {
    await expect(ask('policy', add(1), causeOf('c1'))).rejects.toMatchObject({
      name: 'BusFault',
      reason: 'no-responders',
    })

    const hang = () => Promise.withResolvers<Answer>().promise
    const fail = () => Promise.reject(new Error('the store is away'))
    answerCommands(bus, 'registry', { Add: hang, SetTo: fail, Close: note }, CounterCommand)
    const late = ask('registry', add(1), causeOf('c1')).catch((error: unknown) => error)
    await clock.advance(1_000)
    expect(await late).toMatchObject({ name: 'BusFault', reason: 'timeout' })
    await expect(ask('registry', { type: 'SetTo', data: { value: 1 } }, causeOf('c2'))).rejects.toMatchObject({
      name: 'BusFault',
      reason: 'failed',
      message: 'the store is away',
    })
  })

  it('is a fault when what comes back is no answer', async () => {
    bus.respond('remuda.commands.registry.*', async () => 'yes')
    await expect(ask('registry', add(1), causeOf('c1'))).rejects.toMatchObject({ reason: 'failed' })
  })
})

describe('a command that a service cannot take', () => {
  const refusalOf = async (payload: unknown, subject = 'remuda.commands.registry.Add') => {
    answerCommands(bus, 'registry', handlers, CounterCommand)
    const answer = await bus.request(subject, payload)
    expect(handled).toEqual([])
    expect(answer).toMatchObject({ refused: 'REQUEST_INVALID' })
    return (answer as { detail: string }).detail
  }
  const envelope = (command: unknown, cause: unknown = causeOf('c1')) => ({ command, cause })

  it('is refused by its type, naming the types there are', async () => {
    expect(await refusalOf(envelope({ type: 'Explode', data: {} }))).toBe(
      'type: registry takes no Explode, only Add, SetTo, Close',
    )
    expect(await refusalOf(envelope({ type: 'toString', data: {} }))).toContain('takes no toString')
  })

  it('is refused with the name of each field that is wrong', async () => {
    expect(await refusalOf(envelope({ type: 'Add', data: { amount: 'x' } }))).toMatch(/^data\.amount: .*number/)
    expect(await refusalOf(envelope({ type: 'Add', data: {} }))).toMatch(/^data\.amount: /)
  })

  it('is refused for a field that nobody knows', async () => {
    expect(await refusalOf(envelope({ type: 'Add', data: { amount: 1, colour: 'red' } }))).toMatch(/data: .*colour/)
  })

  it('is refused without a whole cause', async () => {
    expect(await refusalOf(envelope(add(1), { actor: 'x' }))).toMatch(/cause\.commandId: .*; cause\.correlationId: /)
    expect(await refusalOf(envelope(add(1), null))).toMatch(/^cause: /)
  })

  it.each([null, 7, 'Add', []])('is refused when it is no command at all: %j', async (payload) => {
    expect(await refusalOf(payload)).not.toBe('')
  })

  it('is refused when it comes by the subject of another', async () => {
    expect(await refusalOf(envelope({ type: 'Explode', data: {} }), 'remuda.commands.registry.Close')).toContain(
      'Explode',
    )
  })
})

describe('a service that is being taken over', () => {
  const clock = createVirtualClock()
  const patient = (over: Bus) => createAsk(over, { timeoutMs: 1_000, patience: { clock, patienceMs: 8_000 } })
  const refusing = (...reasons: ('no-responders' | 'timeout' | 'failed')[]): Bus => ({
    ...createMemoryBus({ clock, log: silentLog }),
    request: async () => {
      const reason = reasons.shift()
      if (reason !== undefined) throw new BusFault(reason, reason)
      return { accepted: true, position: 7, result: {} }
    },
  })
  const answered = async (asking: Promise<unknown>) => {
    const settled = Promise.allSettled([asking])
    await clock.advance(20_000)
    return (await settled)[0]
  }

  it('is asked again, whether nobody was there or the question was lost', async () => {
    const asking = patient(refusing('no-responders', 'timeout', 'no-responders'))('registry', add(1), causeOf('c'))
    expect(await answered(asking)).toMatchObject({ status: 'fulfilled', value: { position: 7 } })
  })
  it('is asked again when the one who was asked has lost the work to another process', async () => {
    const over = createMemoryBus({ clock, log: silentLog })
    let asked = 0
    const lost = async (): Promise<Answer> => {
      asked += 1
      if (asked === 1) throw new Fenced('registry.0', 1)
      return accepted
    }
    answerCommands(over, 'registry', { ...handlers, Add: lost }, CounterCommand)
    expect(await answered(patient(over)('registry', add(1), causeOf('c')))).toMatchObject({ value: accepted })
    asked = 0
    const impatient = createAsk(over, { timeoutMs: 1_000 })('registry', add(1), causeOf('c'))
    expect(await answered(impatient)).toMatchObject({ value: { refused: 'SERVICE_UNAVAILABLE' } })
  })
  it('is waited for no longer than patience lasts', async () => {
    const asking = patient(refusing(...Array.from({ length: 100 }, () => 'no-responders' as const)))
    expect(await answered(asking('registry', add(1), causeOf('c')))).toMatchObject({ status: 'rejected' })
  })
  it('is not asked again when it failed: that would be the same again', async () => {
    const asking = patient(refusing('failed'))('registry', add(1), causeOf('c'))
    expect(await answered(asking)).toMatchObject({ status: 'rejected', reason: { reason: 'failed' } })
  })
  it('is not waited for when it is a gateway, which never comes back under its name', async () => {
    const asking = patient(refusing('no-responders'))('gateway', add(1), causeOf('c'), 'g1')
    expect(await answered(asking)).toMatchObject({ status: 'rejected' })
  })
})

describe('health', () => {
  it('is asked where the machine is listened to', async () => {
    const over = createMemoryBus({ clock: createVirtualClock(), log: silentLog })
    const asked: string[] = []
    over.respond('remuda.commands.health.>', async ({ subject }) => {
      asked.push(subject)
      return { accepted: true, position: 0, result: {} }
    })
    const ask = createAsk(over, { timeoutMs: 1_000, partitions: 16 })
    const check = { type: 'CheckMachine', data: { machineId: 'm-1' } }
    await ask('health', check, causeOf('c'))
    await ask('health', check, causeOf('c'))
    expect(asked).toEqual(Array(2).fill(`remuda.commands.health.CheckMachine.${partitionOf('m-1', 16)}`))
  })
})
