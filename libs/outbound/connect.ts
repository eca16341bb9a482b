import { lookup } from 'node:dns/promises'
import { isIP, Socket } from 'node:net'
import type { RefusedAddress } from '#libs/outbound/addresses.ts'
import { Berths } from './berths.ts'
import type { Trouble } from './trouble.ts'
import type { Way } from './way.ts'

/** Of the addresses of one name. */
const addressesMax = 4
/** The system looks names up in threads, of which it has four; files and secrets need some as well. */
const lookupsAtOnceMax = 2
const lookups = new Berths(lookupsAtOnceMax)

export interface Target {
  readonly host: string
  readonly port: number
}
export type Guard = (address: string) => RefusedAddress | null

/**
 * Connects to the first address of the host that takes the connection. What is connected to are the very addresses that
 * have been checked: the name is not looked up a second time.
 */
export async function connect({ host, port }: Target, way: Way, guard: Guard): Promise<Socket | Trouble> {
  const found = isIP(host) > 0 ? [host] : await addressesOf(host, way)
  if ('seen' in found) return found
  for (const address of found) {
    const refused = guard(address)
    if (refused !== null) return { seen: 'address', ...refused }
  }
  way.step = 'connect'
  const addresses = found.slice(0, addressesMax)
  let trouble: Trouble = { seen: 'fault', code: 'ENOTFOUND' }
  for (const [index, address] of addresses.entries()) {
    const tried = await dial({ host: address, port }, way, way.restMs / (addresses.length - index))
    if (tried instanceof Socket) return tried
    trouble = tried
  }
  return trouble
}

/** The code of an error of the system; of one that has none, its name. */
export const codeOf = (error: Error): string => (error as NodeJS.ErrnoException).code ?? error.name

async function addressesOf(host: string, { signal }: Way): Promise<readonly string[] | Trouble> {
  try {
    // One whose time was up while it waited for its turn is not begun any more.
    const found = await lookups.run(async () => (signal.aborted ? [] : lookup(host, { all: true })))
    return found.map(({ address }) => address)
  } catch (error) {
    return { seen: 'fault', code: codeOf(error as Error) }
  }
}

function dial({ host, port }: Target, way: Way, withinMs: number): Promise<Socket | Trouble> {
  return new Promise((resolve) => {
    const socket = new Socket({ signal: way.signal })
    const settle = (outcome: Socket | Trouble) => {
      timer.cancel()
      if (outcome !== socket) socket.destroy()
      resolve(outcome)
    }
    const timer = way.timer(withinMs, () => settle(way.outOfTime()))
    // Whatever becomes of the connection later, an error that nobody listens to would end the process.
    socket.on('error', (error) => settle({ seen: 'fault', code: codeOf(error) }))
    socket.once('connect', () => settle(socket))
    socket.connect({ host, port })
  })
}
