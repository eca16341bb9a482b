import { WebSocket } from 'ws'
import type { AgentSocket, AgentTransport } from './ports.ts'
import { createFrameQueue } from './frameQueue.ts'

const handshakeMs = 10_000
/** A work order carries a script and all its variables. */
const frameBytesMax = 8 * 1024 * 1024
const framesMax = 1_000
const sessionPath = '/v1/agent'

/** Connects to a server by WebSocket; always outbound, so that the machine need not be reachable. */
export function socketTransport(server: string): AgentTransport {
  const url = new URL(sessionPath, server)
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'

  return {
    connect: () =>
      new Promise((resolve, reject) => {
        const options = { handshakeTimeout: handshakeMs, maxPayload: frameBytesMax, perMessageDeflate: false }
        const socket = new WebSocket(url, options)
        // Frames may come with the very answer that opens the socket, so they are listened for from the start.
        const opened = wrap(socket)
        socket.once('open', () => resolve(opened))
        socket.once('error', (error) =>
          reject(new Error(`cannot reach ${url.host}: ${error.message || describe(error)}`)),
        )
      }),
  }
}

/** A name that resolves to several addresses fails with one error for each. */
const describe = (error: Error) =>
  error instanceof AggregateError ? error.errors.map((each: unknown) => (each as Error).message).join('; ') : error.name

function wrap(socket: WebSocket): AgentSocket {
  const frames = createFrameQueue(framesMax)
  socket.on('message', (data: Buffer) => {
    const frame = parse(data)
    if (!frames.push(frame)) socket.terminate()
  })
  socket.on('close', () => frames.end())
  socket.on('error', () => frames.end())

  return {
    frames,
    send(frame) {
      if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(frame))
    },
    probe: () =>
      new Promise((resolve) => {
        socket.once('pong', () => resolve())
        if (socket.readyState === WebSocket.OPEN) socket.ping()
      }),
    close() {
      socket.close()
      // A dead connection never answers the goodbye.
      frames.end()
    },
  }
}

function parse(data: Buffer): unknown {
  try {
    return JSON.parse(data.toString('utf8'))
  } catch {
    return null
  }
}
