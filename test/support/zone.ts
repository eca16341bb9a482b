import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer, connect, type Server, type Socket } from 'node:net'
import { promisify } from 'node:util'

const run = promisify(execFile)
const ip = (...words: string[]) => run('ip', words, { timeout: 10_000 })

/** A part of the network with machines in it, which can be cut off and comes back. Nobody is told of the cut. */
export interface Zone extends AsyncDisposable {
  /** Where machines of the zone reach the server. */
  readonly url: string
  /** What a process must be started with to be in the zone: a program and its arguments, or nothing. */
  readonly within: readonly string[]
  cut(): Promise<void>
  mend(): Promise<void>
}

/** A network of its own where the system lets us have one; else a proxy that goes silent. */
export async function createZone(number: number, serverPort: number): Promise<Zone> {
  return (await networkZone(number, serverPort)) ?? proxyZone(serverPort)
}

/** @returns null where network namespaces are not to be had */
async function networkZone(number: number, serverPort: number): Promise<Zone | null> {
  const name = `remuda-${process.pid}-${number}`
  const [outer, inner] = [`rm${process.pid % 10_000}o${number}`, `rm${process.pid % 10_000}i${number}`]
  const network = `10.${200 + number}.${process.pid % 250}`
  const within = ['ip', 'netns', 'exec', name]
  const end = async () => {
    await ip('netns', 'del', name).catch(() => {})
    await ip('link', 'del', outer).catch(() => {})
  }
  try {
    await ip('netns', 'add', name)
    await ip('link', 'add', outer, 'type', 'veth', 'peer', 'name', inner, 'netns', name)
    await ip('addr', 'add', `${network}.1/24`, 'dev', outer)
    await ip('link', 'set', outer, 'up')
    await ip('netns', 'exec', name, 'ip', 'addr', 'add', `${network}.2/24`, 'dev', inner)
    for (const device of ['lo', inner]) await ip('netns', 'exec', name, 'ip', 'link', 'set', device, 'up')
  } catch (error) {
    console.info(`zones are made with proxies, since there is no network of one's own: ${String(error)}`)
    await end()
    return null
  }
  return {
    url: `http://${network}.1:${serverPort}`,
    within,
    // What is sent from inside is lost without a word, as when a switch dies.
    cut: async () => void (await ip('netns', 'exec', name, 'ip', 'link', 'set', inner, 'down')),
    mend: async () => void (await ip('netns', 'exec', name, 'ip', 'link', 'set', inner, 'up')),
    [Symbol.asyncDispose]: end,
  }
}

/** Passes connections on to the server until it is cut: then it takes whatever is sent and passes nothing on. */
export async function proxyZone(serverPort: number): Promise<Zone> {
  let isCut = false
  const sockets = new Set<Socket>()
  const keep = (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy())
  }
  const server: Server = createServer((near) => {
    keep(near)
    if (isCut) return
    const far = connect(serverPort, '127.0.0.1')
    keep(far)
    near.on('data', (data) => void (isCut || far.write(data))).on('close', () => void (isCut || far.destroy()))
    far.on('data', (data) => void (isCut || near.write(data))).on('close', () => void (isCut || near.destroy()))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  return {
    url: `http://127.0.0.1:${port}`,
    within: [],
    cut: async () => void (isCut = true),
    mend: async () => {
      isCut = false
      // What was lost in between cannot be put together again, as after a real cut that lasted.
      for (const socket of sockets) socket.destroy()
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
