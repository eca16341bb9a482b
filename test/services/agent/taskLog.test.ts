import { describe, expect, it } from 'vitest'
import { silentLog } from '#libs/log.ts'
import { createTaskLog, logFileOf, readTaskLog, type Chunk } from '#services/agent/taskLog.ts'
import { createVirtualClock } from '#test/support/virtualClock.ts'
import { memoryFiles } from './memoryFiles.ts'

function start(charsMax = 1_000) {
  const [clock, files] = [createVirtualClock(), memoryFiles()]
  const chunks: Chunk[] = []
  const deliver = (chunk: Chunk) => void chunks.push(chunk)
  const limits = { charsMax, chunkCharsMax: 10, flushMs: 200 }
  const taskLog = createTaskLog({ clock, files, log: silentLog, taskId: 't', ...limits, deliver })
  return { clock, files, chunks, taskLog }
}

describe('the log of a task', () => {
  it('is cut into numbered chunks: full ones at once, others after a moment', async () => {
    const { clock, chunks, taskLog } = start()
    taskLog.write('abc')
    taskLog.write('def')
    expect(chunks).toEqual([])
    await clock.advance(200)
    expect(chunks).toEqual([{ chunk: 1, text: 'abcdef' }])
    taskLog.write('0123456789012')
    expect(chunks.slice(1).map(({ text }) => text)).toEqual(['0123456789', '012'])
    taskLog.write('end')
    expect(taskLog.end()).toEqual({ truncated: false })
    expect(chunks.at(-1)).toEqual({ chunk: 4, text: 'end' })
  })

  it('is cut off behind the limit, says so, and wants no more', () => {
    const { chunks, taskLog } = start(5)
    expect(taskLog.write('abc')).toBe(true)
    expect(taskLog.write('defgh')).toBe(false)
    expect(taskLog.write('again')).toBe(false)
    expect(taskLog.end()).toEqual({ truncated: true })
    const text = chunks.map((chunk) => chunk.text).join('')
    expect(text.startsWith('abcde\n[cut off here')).toBe(true)
    expect(text).not.toContain('again')
  })

  it('tears no character in two', () => {
    const { chunks, taskLog } = start()
    taskLog.write('123456789😀x')
    taskLog.end()
    expect(chunks.map(({ text }) => text)).toEqual(['123456789', '😀x'])
  })

  it('can be read from disk again, up to where it is whole', async () => {
    const { files, chunks, taskLog } = start()
    taskLog.write('0123456789abcdefghij')
    taskLog.end()
    expect(await readTaskLog(files, 't')).toEqual(chunks)
    await files.append(logFileOf('t'), '{"chunk":3,"te', { durable: false })
    expect(await readTaskLog(files, 't')).toEqual(chunks)
    expect(await readTaskLog(files, 'unknown')).toEqual([])
  })

  it('goes on when the disk is full', async () => {
    const { clock, files, chunks, taskLog } = start()
    files.fault.error = new Error('no space left on device')
    taskLog.write('0123456789')
    await clock.settle()
    expect(chunks).toHaveLength(1)
  })
})
