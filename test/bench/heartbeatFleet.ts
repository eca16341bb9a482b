import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { WebSocket } from 'ws'
import { sessionProof, type ServerFrame } from '#contracts/agent.ts'
import { makeKey, seedBytes } from '#libs/machineKey.ts'
import { systemClock } from '#libs/systemClock.ts'

export type ServerKind = 'gateway' | 'ws' | 'fastify'

export const benchFacts = {
  hostname: 'bench',
  os: 'linux',
  arch: 'x64',
  agentVersion: '0.0.0',
  cpus: 1,
  memoryBytes: 1_000,
  addresses: [],
}

/** The key of the machine of this number, the same in the server and in the fleet. */
export function benchKey(number: number) {
  const seed = Buffer.alloc(seedBytes)
  seed.writeUInt32BE(number)
  return makeKey(seed)
}

export type Question = 'standing' | 'collect'

export interface Standing {
  readonly heard: number
  readonly cpuUs: number
  readonly rssBytes: number
}

const text = '{"type":"heartbeat"}'
/** A masked frame whose mask is zero: made once, since the fleet must cost less than the server. */
const socketHeartbeat = Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)])
const requestHeartbeat = (number: number) => {
  const body = JSON.stringify({ type: 'heartbeat', machineId: `m-${String(number).padStart(20, '0')}` })
  const head = [
    'POST /v1/heartbeat HTTP/1.1',
    'Host: bench',
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
  ]
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`)
}
const lookEveryMs = 2
const waitMaxMs = 60_000
const connectingMax = 50

/** A server in a process of its own, and machines that are connected to it. */
export class Fleet implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #kind: ServerKind
  readonly #sockets: Socket[] = []
  /** What each machine sends, made beforehand. */
  readonly #heartbeats: Buffer[] = []
  /** The server's memory before anybody is connected. */
  #emptyBytes = 0
  /** What one connected machine takes of the server's memory. */
  bytesPerMachine = Number.NaN

  private constructor(kind: ServerKind, child: ChildProcess) {
    this.#kind = kind
    this.#child = child
  }

  static async start(kind: ServerKind, machines: number): Promise<Fleet> {
    const script = new URL('heartbeatServer.ts', import.meta.url)
    const child = fork(script, [kind, String(machines)], { execArgv: ['--expose-gc'] })
    const [{ port }] = (await once(child, 'message')) as [{ port: number }]
    const fleet = new Fleet(kind, child)
    fleet.#emptyBytes = (await fleet.#ask('collect')).rssBytes
    for (let first = 0; first < machines; first += connectingMax) {
      const some = Array.from({ length: Math.min(connectingMax, machines - first) }, (_, at) =>
        fleet.#join(port, first + at),
      )
      fleet.#sockets.push(...(await Promise.all(some)))
    }
    const heartbeat = kind === 'fastify' ? requestHeartbeat : () => socketHeartbeat
    fleet.#heartbeats.push(...fleet.#sockets.map((_, number) => heartbeat(number)))
    fleet.bytesPerMachine = ((await fleet.#ask('collect')).rssBytes - fleet.#emptyBytes) / machines
    return fleet
  }

  /** Lets every machine give a heartbeat so many times, as fast as the server takes them. */
  async beat(times: number): Promise<{ heartbeats: number; cpuSeconds: number }> {
    const before = await this.#ask('standing')
    for (let round = 1; round <= times; round++) {
      for (const [number, socket] of this.#sockets.entries()) socket.write(this.#heartbeats[number]!)
      // One round is under way while the next is written, and no more.
      await this.#until(before.heard + (round - 1) * this.#sockets.length)
    }
    const after = await this.#until(before.heard + times * this.#sockets.length)
    return { heartbeats: after.heard - before.heard, cpuSeconds: (after.cpuUs - before.cpuUs) / 1e6 }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.disconnect()
    await once(this.#child, 'exit')
    for (const socket of this.#sockets) socket.destroy()
  }

  async #ask(question: Question): Promise<Standing> {
    this.#child.send(question)
    return ((await once(this.#child, 'message')) as [Standing])[0]
  }

  async #until(heard: number): Promise<Standing> {
    const deadlineMs = systemClock.steadyMs() + waitMaxMs
    for (;;) {
      const standing = await this.#ask('standing')
      if (standing.heard >= heard) return standing
      if (systemClock.steadyMs() > deadlineMs) throw new Error(`${this.#kind}: ${standing.heard} of ${heard} heard`)
      await systemClock.sleep(lookEveryMs)
    }
  }

  async #join(port: number, number: number): Promise<Socket> {
    if (this.#kind === 'fastify') {
      const socket = connect(port, '127.0.0.1').resume()
      await once(socket, 'connect')
      return socket
    }
    const webSocket = new WebSocket(`ws://127.0.0.1:${port}/v1/agent`, { perMessageDeflate: false })
    if (this.#kind === 'gateway') await greet(webSocket, number)
    else await once(webSocket, 'open')
    // From here on frames are written by hand, past the client that would make each of them anew.
    return (webSocket as unknown as { _socket: Socket })._socket
  }
}

function greet(webSocket: WebSocket, number: number): Promise<void> {
  const { machineId, sign } = benchKey(number)
  return new Promise((resolve, reject) => {
    webSocket.on('message', (data) => {
      const frame = JSON.parse(String(data)) as ServerFrame
      if (frame.type === 'welcome') return resolve()
      if (frame.type !== 'challenge') return reject(new Error(JSON.stringify(frame)))
      const signature = sign(sessionProof(frame.nonce, machineId))
      const self = { facts: benchFacts, attributes: {}, protocol: 1, epoch: 0 }
      return webSocket.send(JSON.stringify({ type: 'hello', machineId, signature, ...self }))
    })
  })
}
