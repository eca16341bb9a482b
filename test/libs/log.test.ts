import { describe, expect, it } from 'vitest'
import { createLog } from '#libs/log.ts'

const collect = () => {
  const lines: string[] = []
  return { lines, destination: { write: (line: string) => void lines.push(line) } }
}

describe('the log', () => {
  it('writes one object a line, with the name of who speaks', () => {
    const { lines, destination } = collect()
    createLog('registry', 'info', destination).info({ port: 4780 }, 'listening')
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ name: 'registry', port: 4780, msg: 'listening' })
  })
  it('leaves out what is below its level', () => {
    const { lines, destination } = collect()
    createLog('registry', 'warn', destination).info('listening')
    expect(lines).toEqual([])
  })
  it.each(['err', 'error'])('tells what went wrong, and what lay behind it, under the name of %s', (name) => {
    const { lines, destination } = collect()
    const cause = new Error('the disk is full')
    createLog('relay', 'info', destination).error({ [name]: new RangeError('not stored', { cause }) }, 'a fault')
    const said = JSON.parse(lines[0] ?? '')[name]
    expect(said).toMatchObject({ type: 'RangeError', message: expect.stringContaining('not stored') })
    expect(said.message).toContain('the disk is full')
    expect(said.stack).toContain('log.test.ts')
  })
  it('leaves what is no error as it is', () => {
    const { lines, destination } = collect()
    createLog('relay', 'info', destination).warn({ error: 'no room' }, 'a fault')
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ error: 'no room' })
  })
  it('never writes credentials, under their names or in free text', () => {
    const { lines, destination } = collect()
    const log = createLog('gateway', 'trace', destination).child({ token: 'canary-1' })
    log.info({ headers: { authorization: 'Bearer canary-2' }, a: { b: { secret: 'canary-3' } } }, 'seen')
    log.error({ err: new Error('bad token rmd_user_abc123_canary-4') }, 'failed for rmd_user_abc123_canary-5')
    expect(lines).toHaveLength(2)
    expect(lines.join('')).not.toContain('canary')
  })
})
