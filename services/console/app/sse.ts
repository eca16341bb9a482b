export interface ServerSentMessage {
  readonly id: string | null
  readonly event: string
  readonly data: string
}

/** A line or message longer than this is not one of ours; reading it further would only fill the memory. */
export const messageCharsMax = 4 * 1024 * 1024

/**
 * Reads a body as server-sent events. `EventSource` would do it, but it cannot send the Authorization header.
 * @param onBytes called for whatever arrives, comments that keep the connection open included
 * @throws RangeError when a message has more than `messageCharsMax` characters
 */
export async function* messagesOf(
  body: ReadableStream<Uint8Array>,
  onBytes: () => void = () => {},
): AsyncGenerator<ServerSentMessage> {
  const decoder = new TextDecoder()
  let rest = ''
  let message = fresh()
  for await (const bytes of chunksOf(body)) {
    onBytes()
    // A carriage return at the very end may be half of a pair, so it waits for what comes next.
    const text = rest + decoder.decode(bytes, { stream: true })
    const whole = text.endsWith('\r') ? text.slice(0, -1) : text
    const lines = whole.split(/\r\n|\n|\r/)
    rest = (lines.pop() ?? '') + text.slice(whole.length)
    for (const line of lines) {
      if (line === '') {
        if (message.lines.length > 0) yield done(message)
        message = fresh()
      } else read(line, message)
    }
    if (rest.length + message.chars > messageCharsMax) throw new RangeError('a message on the stream is too long')
  }
}

async function* chunksOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      yield value
    }
  } finally {
    await reader.cancel().catch(() => {})
  }
}

interface Draft {
  id: string | null
  event: string
  lines: string[]
  chars: number
}

const fresh = (): Draft => ({ id: null, event: 'message', lines: [], chars: 0 })
const done = ({ id, event, lines }: Draft): ServerSentMessage => ({ id, event, data: lines.join('\n') })

function read(line: string, draft: Draft): void {
  const colon = line.indexOf(':')
  const field = colon < 0 ? line : line.slice(0, colon)
  const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
  if (field === 'data') draft.lines.push(value)
  if (field === 'id') draft.id = value
  if (field === 'event') draft.event = value
  draft.chars += value.length
}
