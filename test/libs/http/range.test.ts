import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rangeOf } from '#libs/http/range.ts'

const etag = '"abc"'
const ask = (range: string | undefined, size = 100, ifRange?: string) => rangeOf(range, size, { ifRange, etag })

describe('a range of bytes', () => {
  it.each([
    [undefined, 'whole'],
    ['bytes=0-', { start: 0, end: 99 }],
    ['bytes=0-0', { start: 0, end: 0 }],
    ['bytes=40-59', { start: 40, end: 59 }],
    ['bytes=40-1000', { start: 40, end: 99 }],
    ['bytes=-10', { start: 90, end: 99 }],
    ['bytes=-1000', { start: 0, end: 99 }],
    ['bytes=-0', 'unsatisfiable'],
    ['bytes=99-', { start: 99, end: 99 }],
    ['bytes=100-', 'unsatisfiable'],
    ['bytes=100-200', 'unsatisfiable'],
    // What makes no sense, or is no single range, is answered as if it were not there.
    ['bytes=9-3', 'whole'],
    ['bytes=-', 'whole'],
    ['bytes=0-1,5-6', 'whole'],
    ['lines=0-1', 'whole'],
    ['bytes=0-99999999999999999999', 'whole'],
  ])('%s of 100 is %j', (range, answer) => expect(ask(range)).toEqual(answer))

  it('holds only for what has not changed', () => {
    expect(ask('bytes=5-', 100, etag)).toEqual({ start: 5, end: 99 })
    expect(ask('bytes=5-', 100, '"other"')).toBe('whole')
    expect(ask('bytes=5-', 100, `W/${etag}`)).toBe('whole')
  })
  it('has no byte in nothing', () => expect(ask('bytes=0-', 0)).toBe('unsatisfiable'))
  it('lies within the resource, whatever is asked', () => {
    fc.assert(
      fc.property(fc.nat(200), fc.option(fc.nat(300)), fc.option(fc.nat(300)), (size, first, last) => {
        const range = ask(`bytes=${first ?? ''}-${last ?? ''}`, size)
        if (typeof range === 'string') return
        expect(range.start).toBeGreaterThanOrEqual(0)
        expect(range.end).toBeGreaterThanOrEqual(range.start)
        expect(range.end).toBeLessThan(size)
      }),
    )
  })
})
