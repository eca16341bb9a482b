import { EventEmitter } from 'node:events'
import { describe, expect, it, vi } from 'vitest'
import { ConfigMistakes } from '#libs/config.ts'
import { aborted, runUntilStopped, stopSignal } from '#libs/lifecycle.ts'
import { silentLog } from '#libs/log.ts'
import { systemClock } from '#libs/systemClock.ts'

const start = (main: (stop: AbortSignal) => Promise<void>, graceMs = 60_000) => {
  const source = new EventEmitter()
  const exit = vi.fn<(code: number) => void>()
  const ended = runUntilStopped(main, { clock: systemClock, log: silentLog, graceMs, source, exit })
  return { source, exit, ended }
}
const never = () => new Promise<void>(() => {})

describe('running until told to stop', () => {
  it('closes in order after the first signal and ends with 0', async () => {
    const closed: string[] = []
    const { source, exit, ended } = start(async (stop) => {
      await using _store = { [Symbol.asyncDispose]: async () => void closed.push('store') }
      await using _http = { [Symbol.asyncDispose]: async () => void closed.push('http') }
      closed.push(String(await aborted(stop)))
    })
    source.emit('SIGTERM')
    await ended
    expect(closed).toEqual(['SIGTERM', 'http', 'store'])
    expect(exit.mock.calls).toEqual([[0]])
    expect(source.listenerCount('SIGTERM')).toBe(0)
  })
  it('ends at once on the second signal', () => {
    const { source, exit } = start(never)
    source.emit('SIGINT')
    expect(exit).not.toHaveBeenCalled()
    source.emit('SIGINT')
    expect(exit).toHaveBeenCalledWith(130)
  })
  it('does not wait for ever to close', async () => {
    const { source, exit } = start(never, 10)
    source.emit('SIGTERM')
    await vi.waitFor(() => expect(exit).toHaveBeenCalledWith(1))
  })
  it('ends with 78 on configuration mistakes and with 1 on a fault', async () => {
    const mistaken = start(async () => Promise.reject(new ConfigMistakes([])))
    const faulty = start(async () => Promise.reject(new Error('disk full')))
    await Promise.all([mistaken.ended, faulty.ended])
    expect([mistaken.exit.mock.calls, faulty.exit.mock.calls]).toEqual([[[78]], [[1]]])
  })
  it('names the signal that came', async () => {
    const source = new EventEmitter()
    const signal = stopSignal(source)
    source.emit('SIGINT')
    expect(await signal).toBe('SIGINT')
    expect(source.listenerCount('SIGINT')).toBe(0)
  })
})
