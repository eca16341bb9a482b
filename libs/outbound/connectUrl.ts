import { isIP, Socket } from 'node:net'
import { connect as secure } from 'node:tls'
import { codeOf, connect, type Guard } from './connect.ts'
import { isOfSystem, type Trouble } from './trouble.ts'
import type { Way } from './way.ts'

/** What the other side shows of itself does not make a connection that can be trusted. */
export interface Untrusted {
  readonly seen: 'tls'
  readonly code: string
}

/** Connects to the server of an `http:` or `https:` URL, encrypted where it says so, past the same guard for both. */
export async function connectUrl(url: URL, way: Way, guard: Guard): Promise<Socket | Trouble | Untrusted> {
  const isSecure = url.protocol === 'https:'
  // Addresses of the sixth version stand in brackets in a URL.
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const port = url.port === '' ? (isSecure ? 443 : 80) : Number(url.port)
  const connected = await connect({ host, port }, way, guard)
  return isSecure && connected instanceof Socket ? handshake(connected, host, way) : connected
}

/** A machine that answers with the wrong certificate does answer. */
function handshake(socket: Socket, host: string, way: Way): Promise<Socket | Trouble | Untrusted> {
  way.step = 'handshake'
  return new Promise((resolve) => {
    const secured = secure({ socket, host, servername: isIP(host) > 0 ? '' : host, ALPNProtocols: ['http/1.1'] })
    secured.on('error', (error) => resolve(brokenBy(error)))
    secured.once('secureConnect', () => resolve(secured))
  })
}

function brokenBy(error: Error): Trouble | Untrusted {
  const code = codeOf(error)
  return { seen: isOfSystem(code) ? 'fault' : 'tls', code }
}
