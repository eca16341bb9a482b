import { describe, expect, it } from 'vitest'
import type { TaskResult } from '#contracts/taskResult.ts'
import { silentLog } from '#libs/log.ts'
import { openJournal, type Entry } from '#services/agent/journal.ts'
import { memoryFiles } from './memoryFiles.ts'

const limits = { resultsMax: 2, tasksMax: 4 }
const result: TaskResult = { outcome: 'succeeded', outputs: { a: '1' }, durationMs: 5, logTruncated: false }
const entry = (taskId: string, state: Entry['state'], of: TaskResult | null = null): Entry => ({
  taskId,
  deploymentId: 'd',
  state,
  result: of,
})

describe('the journal', () => {
  it('knows after a restart what it was told', async () => {
    const files = memoryFiles()
    const journal = await openJournal(files, limits, silentLog)
    await journal.record(entry('one', 'started'))
    await journal.record(entry('two', 'finished', result))
    await journal.seeEpoch(7)
    const again = await openJournal(files, limits, silentLog)
    expect(again.get('one')).toEqual(entry('one', 'started'))
    expect(again.get('two')).toEqual(entry('two', 'finished', result))
    expect(again.get('three')).toBeUndefined()
    expect(again.epoch).toBe(7)
  })

  it.each(['started', 'finished'] as const)(
    'has %s on disk before it says so, whenever the power goes',
    async (state) => {
      const files = memoryFiles()
      const journal = await openJournal(files, limits, silentLog)
      await journal.record(entry('one', 'accepted'))
      await journal.record(entry('one', state, state === 'finished' ? result : null))
      files.losePower()
      expect((await openJournal(files, limits, silentLog)).get('one')?.state).toBe(state)
    },
  )

  it('forgives a last line that was torn, wherever it was torn', async () => {
    const full = memoryFiles()
    const journal = await openJournal(full, limits, silentLog)
    await journal.record(entry('one', 'started'))
    const before = full.text('journal.log').length
    await journal.record(entry('one', 'finished', result))
    const text = full.text('journal.log')
    for (let length = before; length < text.length; length++) {
      const files = memoryFiles()
      await files.replace('journal.log', text.slice(0, length))
      const again = await openJournal(files, limits, silentLog)
      expect(again.get('one')?.state).toBe('started')
      await again.record(entry('two', 'started'))
      const third = await openJournal(files, limits, silentLog)
      expect(third.get('two')?.state).toBe('started')
      expect(third.get('one')?.state).toBe('started')
    }
  })

  it('uses the rest when a line in the middle is damaged', async () => {
    const files = memoryFiles()
    const journal = await openJournal(files, limits, silentLog)
    await journal.record(entry('one', 'started'))
    await files.append('journal.log', '{"taskId":"dam\n', { durable: true })
    await journal.record(entry('two', 'started'))
    const again = await openJournal(files, limits, silentLog)
    expect([again.get('one')?.state, again.get('two')?.state]).toEqual(['started', 'started'])
  })

  it('forgets results and then tasks that were reported, oldest first, and no others', async () => {
    const files = memoryFiles()
    const journal = await openJournal(files, limits, silentLog)
    await journal.record(entry('open', 'finished', result))
    for (let task = 1; task <= 6; task++) await journal.record(entry(`old-${task}`, 'reported', result))
    const again = await openJournal(files, limits, silentLog)
    expect(again.get('open')?.result).toEqual(result)
    expect(again.get('old-1')).toBeUndefined()
    expect(again.get('old-2')).toBeUndefined()
    expect(again.get('old-3')).toMatchObject({ state: 'reported', result: null })
    expect(again.get('old-6')?.result).toEqual(result)
  })

  it('does not grow for ever', async () => {
    const files = memoryFiles()
    const journal = await openJournal(files, limits, silentLog)
    for (let task = 1; task <= 5_000; task++) await journal.record(entry(`task-${task}`, 'reported', result))
    expect(files.text('journal.log').split('\n').length).toBeLessThan(2_100)
  })

  it('takes any epoch again once it was told to forget', async () => {
    const files = memoryFiles()
    const journal = await openJournal(files, limits, silentLog)
    await journal.seeEpoch(9)
    await journal.seeEpoch(3)
    expect(journal.epoch).toBe(9)
    await journal.forgetEpoch()
    expect((await openJournal(files, limits, silentLog)).epoch).toBe(0)
  })
})
