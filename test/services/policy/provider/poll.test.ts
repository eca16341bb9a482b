import { describe, expect, it } from 'vitest'
import { Poll } from '#services/policy/provider/poll.ts'
import { ProviderFault, type Provider } from '#services/policy/provider/provider.ts'
import { collectingLog } from '#test/support/collectingLog.ts'
import { createVirtualClock } from '#test/support/virtualClock.ts'

const inventory = { machines: [{ name: 'web-1', state: 'running' }], complete: true } as const
const pace = { everyMs: 30_000, timeoutMs: 10_000, silentAfter: 3, absentMeans: 'unknown' } as const
const never = new Promise<never>(() => {})
const running = new AbortController().signal

function polled(list: Provider['list']) {
  const [clock, log] = [createVirtualClock(), collectingLog()]
  const poll = new Poll({ provider: { name: 'cloud', kind: 'test', list }, pace }, { clock, log })
  return { clock, log, poll }
}
const failing =
  (error: Error): Provider['list'] =>
  async () => {
    throw error
  }

describe('a provider that is asked', () => {
  it('answers, which is remembered with the time', async () => {
    const { clock, poll } = polled(async () => inventory)
    expect(await poll.ask(running)).toBe(inventory)
    expect(poll.standing).toMatchObject({ lastAnswerAt: clock.wallMs(), machinesListed: 1, failures: 0 })
    expect(clock.timers).toBe(0)
  })
  it('is silent after so many failures in a row, and no more after an answer', async () => {
    let list = failing(new ProviderFault('it answers 500'))
    const { poll, clock, log } = polled((signal) => list(signal))
    const silences: (string | null)[] = []
    for (let turn = 0; turn < 4; turn++) {
      expect(await poll.ask(running)).toBeNull()
      silences.push(poll.silence)
      await clock.advance(1_000)
    }
    expect(silences).toEqual([null, null, 'it answers 500', 'it answers 500'])
    expect(poll.standing).toMatchObject({ failures: 4, silentSince: clock.wallMs() - 2_000, lastAnswerAt: null })
    expect(log.linesOf('warn')).toEqual(Array(2).fill('a provider of machines cannot be asked'))
    list = async () => inventory
    await poll.ask(running)
    expect([poll.silence, poll.standing.failures, poll.standing.lastFailure]).toEqual([null, 0, null])
    expect(log.linesOf('info')).toEqual(['a provider of machines answers again'])
  })
  it('is not silent when it fails now and then', async () => {
    let turn = 0
    const { poll } = polled(async () => {
      if ((turn += 1) % 3 !== 0) throw new ProviderFault('it answers 500')
      return inventory
    })
    for (let asked = 0; asked < 12; asked++) {
      await poll.ask(running)
      expect(poll.silence).toBeNull()
    }
  })
  it('tells nobody the words of an error that it was not meant to have', async () => {
    const { poll } = polled(failing(new TypeError('Bearer hunter2 is no header')))
    await poll.ask(running)
    expect(poll.standing.lastFailure).toBe('asking it failed; the log of the server says how')
  })
})

describe('a provider that hangs', () => {
  it('is given up after its time, and told to end', async () => {
    const signals: AbortSignal[] = []
    const { poll, clock } = polled((signal) => {
      signals.push(signal)
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
    })
    const asked = poll.ask(running)
    await clock.advance(9_999)
    expect([signals[0]?.aborted, poll.standing.failures]).toEqual([false, 0])
    await clock.advance(1)
    expect(await asked).toBeNull()
    expect([signals[0]?.aborted, poll.standing.lastFailure]).toEqual([true, 'it has not answered within 10s'])
  })
  it('keeps nobody waiting when it does not end, and is not asked beside that', async () => {
    let asked = 0
    const { promise, resolve } = Promise.withResolvers<typeof inventory>()
    const { poll, clock } = polled(() => ((asked += 1) === 1 ? promise : Promise.resolve(inventory)))
    const first = poll.ask(running)
    await clock.advance(10_000)
    expect(await first).toBeNull()
    expect(await poll.ask(running)).toBeNull()
    expect([asked, poll.standing.lastFailure]).toEqual([1, 'the question before has not ended yet'])
    // An answer that comes too late is none: it says what was true long ago.
    resolve(inventory)
    await clock.settle()
    expect(poll.standing.lastAnswerAt).toBeNull()
    expect(await poll.ask(running)).toBe(inventory)
  })
  it('has not failed when the server stops', async () => {
    const { poll, clock } = polled(() => never)
    const stop = new AbortController()
    const asked = poll.ask(stop.signal)
    stop.abort(new Error('the service stops'))
    expect(await asked).toBeNull()
    expect([poll.standing.failures, clock.timers]).toEqual([0, 0])
  })
})
