import { describe, expect, it } from 'vitest'
import type { RawMessage } from '#libs/bus/bus.ts'
import { readCloudEvent } from '#libs/inbound/cloudEvent.ts'
import { Refused } from '#libs/problem.ts'

const depthMax = 20
const message = (body: string | Uint8Array, headers: Record<string, string> = {}): RawMessage => ({
  subject: 'remuda.in.CreateRelease',
  bytes: Buffer.from(body),
  headers: new Map(Object.entries(headers)),
  answerWanted: true,
})
const attributes = { specversion: '1.0', id: '1', source: '/ci', type: 'CreateRelease' }
const binary = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/ci', 'ce-type': 'CreateRelease' }
const structured = { 'content-type': 'application/cloudevents+json; charset=utf-8' }
const read = (...given: Parameters<typeof message>) => readCloudEvent(message(...given), depthMax)
const refusal = (...given: Parameters<typeof message>): Refused => {
  try {
    read(...given)
  } catch (error) {
    if (error instanceof Refused) return error
    throw error
  }
  throw new Error('it was read')
}

describe('a CloudEvent', () => {
  it('is read from headers and body', () => {
    expect(read('{"version":"1"}', binary)).toEqual({ ...attributes, data: { version: '1' } })
  })
  it('has its headers in percent notation', () => {
    expect(read('{}', { ...binary, 'ce-source': '/caf%C3%A9%20%22x%22' })).toMatchObject({ source: '/café "x"' })
  })
  it('is read from the body alone', () => {
    const whole = JSON.stringify({ ...attributes, data: { version: '1' }, time: 'whenever' })
    expect(read(whole, structured)).toMatchObject({ ...attributes, data: { version: '1' } })
  })
  it('needs no header at all, as from before NATS had them', () => {
    expect(read(JSON.stringify({ ...attributes, data: 7 }))).toMatchObject({ ...attributes, data: 7 })
  })
  it('is structured when its type says so, whatever other headers say', () => {
    expect(read(JSON.stringify(attributes), { ...structured, 'ce-id': 'other' })).toMatchObject({ id: '1' })
  })
  it('may have its data in base 64', () => {
    const data_base64 = Buffer.from('{"version":"1"}').toString('base64')
    expect(read(JSON.stringify({ ...attributes, data_base64 }))).toMatchObject({ data: { version: '1' } })
  })
  it.each([
    ['', binary],
    [JSON.stringify(attributes), {}],
  ])('without data has none of the fields: %j', (body, headers) => {
    expect(read(body, headers)).toMatchObject({ data: {} })
  })
  it('may say which version is to be changed, and what it belongs to', () => {
    const more = { 'ce-ifmatch': '3', 'ce-correlationid': 'build-7' }
    expect(read('{}', { ...binary, ...more })).toMatchObject({ ifmatch: '3', correlationid: 'build-7' })
    expect(read(JSON.stringify({ ...attributes, ifmatch: 3 }))).toMatchObject({ ifmatch: 3 })
  })

  it.each(['specversion', 'id', 'source', 'type'])('must have its %s', (name) => {
    const { [`ce-${name}`]: _header, ...headers } = binary as Record<string, string>
    const { [name]: _attribute, ...rest } = attributes as Record<string, string>
    expect(refusal('{}', headers)).toMatchObject({ refused: 'REQUEST_INVALID', errors: [{ path: `ce-${name}` }] })
    expect(refusal(JSON.stringify(rest), structured)).toMatchObject({ errors: [{ path: name }] })
    expect(refusal(JSON.stringify({ ...rest, [name]: 1 }), structured)).toMatchObject({ errors: [{ path: name }] })
    expect(refusal('{}', { ...binary, [`ce-${name}`]: '' })).toMatchObject({ errors: [{ path: `ce-${name}` }] })
  })
  it('says how to put it right', () => {
    expect(refusal('{}', { ...binary, 'ce-specversion': '0.3' }).detail).toBe(
      'ce-specversion: Remuda reads CloudEvents 1.0.',
    )
  })
  it.each([
    ['no JSON', binary, 'The body is not acceptable JSON'],
    ['', {}, 'specversion'],
    ['[]', {}, 'This is no CloudEvent'],
    ['null', structured, 'This is no CloudEvent'],
    ['"text"', structured, 'This is no CloudEvent'],
    [JSON.stringify({ ...attributes, data_base64: 1 }), {}, 'data_base64'],
    [JSON.stringify({ ...attributes, data_base64: '%%%' }), structured, ''],
    ['['.repeat(depthMax + 1) + ']'.repeat(depthMax + 1), binary, 'nested deeper than 20'],
    ['{}', { ...binary, 'ce-source': '%' }, 'ce-source'],
    ['{}', { ...binary, 'ce-source': '%FF' }, 'ce-source'],
    ['{}', { ...binary, 'ce-id': 'x'.repeat(1_001) }, 'ce-id'],
  ])('is not %.40s', (body, headers, said) => {
    if (said === '') expect(read(body, headers)).toMatchObject({ data: {} })
    else
      expect(refusal(body, headers)).toMatchObject({
        refused: 'REQUEST_INVALID',
        detail: expect.stringContaining(said),
      })
  })
  it('is UTF-8', () => {
    expect(refusal(new Uint8Array([0x22, 0xff, 0x22]), binary).detail).toContain('it is not UTF-8')
  })
  it('holds JSON', () => {
    expect(refusal('<a/>', { ...binary, 'ce-datacontenttype': 'application/xml' }).refused).toBe(
      'MEDIA_TYPE_UNSUPPORTED',
    )
    expect(read('{}', { ...binary, 'ce-datacontenttype': 'application/json' }).data).toEqual({})
  })
})
