import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { messageCharsMax, messagesOf, type ServerSentMessage } from '../../../services/console/app/sse.ts'

const bytes = new TextEncoder()
const streamOf = (...parts: readonly (string | Uint8Array)[]) =>
  ReadableStream.from(parts.map((part) => (typeof part === 'string' ? bytes.encode(part) : part)))

async function read(stream: ReadableStream<Uint8Array>): Promise<ServerSentMessage[]> {
  const messages: ServerSentMessage[] = []
  for await (const message of messagesOf(stream)) messages.push(message)
  return messages
}

describe('server-sent events', () => {
  it('have an id, a kind and data of several lines', async () => {
    expect(await read(streamOf('retry: 2000\n\nid: 7\nevent: MachineRegistered\ndata: {"a":1}\ndata:\n\n'))).toEqual([
      { id: '7', event: 'MachineRegistered', data: '{"a":1}\n' },
    ])
  })
  it('are not made of comments, nor of a message that was cut off', async () => {
    expect(await read(streamOf(': still here\n\ndata: one\n\ndata: half'))).toEqual([
      { id: null, event: 'message', data: 'one' },
    ])
  })
  it('read the same however the network cuts them', async () => {
    const text = bytes.encode('id: 1\r\ndata: größe 🐎\r\n\r\ndata: b\rdata: c\r\r: x\n\nid: 3\ndata: d\n\n')
    const whole = await read(streamOf(text))
    expect(whole.map(({ data }) => data)).toEqual(['größe 🐎', 'b\nc', 'd'])
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(text.length), { maxLength: 12 }), async (cuts) => {
        const ends = [0, ...cuts.sort((a, b) => a - b), text.length]
        const parts = ends.slice(1).map((end, at) => text.slice(ends[at], end))
        expect(await read(streamOf(...parts))).toEqual(whole)
      }),
    )
  })
  it('that never end are given up, and their connection with them', async () => {
    let cancelled = false
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(bytes.encode(`data: ${'x'.repeat(messageCharsMax / 4)}\n`)),
      cancel: () => void (cancelled = true),
    })
    await expect(read(endless)).rejects.toThrow(RangeError)
    expect(cancelled).toBe(true)
  })
})
