import { createHash } from 'node:crypto'
import { lookup } from 'node:dns'
import { request as askPlainly, type IncomingMessage } from 'node:http'
import { request as askSecurely } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { createGuard } from '#libs/outbound/addresses.ts'
import { archiveFormatOf } from '#libs/archiveFormat.ts'
import { blobHeadBytes } from '#libs/blobs/blobs.ts'
import type { Clock } from '#libs/clock.ts'
import { refuse, type Refusal } from '#libs/decider.ts'
import { Serial } from '#libs/serial.ts'
import type { LookAt } from './pinning.ts'

export interface AddressLookSettings {
  /** Addresses that are gone to though they are refused otherwise: what `isAllowance` accepts. */
  readonly allow: readonly string[]
  readonly bytesMax: number
  /** How long a look may take, with the wait for its turn; shorter than whoever makes the release waits for it. */
  readonly lookMs: number
  readonly redirectsMax: number
  readonly atOnceMax: number
  /** How many more may wait for each of those. */
  readonly waitingMax: number
}

const gibibyte = 1_024 ** 3
const defaults: AddressLookSettings = {
  ...{ allow: [], bytesMax: gibibyte, lookMs: 45_000, redirectsMax: 5, atOnceMax: 4, waitingMax: 25 },
}
const redirects = [301, 302, 303, 307, 308]
type Guard = ReturnType<typeof createGuard>

/** Why an address cannot be looked at. It names hosts and never a path or a query, where a secret may be. */
class LookFault extends Error {
  readonly refused: Refusal['refused']

  constructor(refused: Refusal['refused'], detail: string) {
    super(detail)
    this.refused = refused
  }
}

/**
 * Looks at what is at an address, once and as a stream: its digest and size are kept, its bytes are not. The server goes
 * to no address of its own machine or cloud, nor lets itself be sent into a private network.
 */
export function createLookAt(clock: Clock, given: Partial<AddressLookSettings> = {}): LookAt {
  const settings = { ...defaults, ...given }
  const { allow, lookMs, atOnceMax, waitingMax } = settings
  const guards = { first: createGuard(allow), further: createGuard(allow, { refusesPrivate: true }) }
  const turns = new Serial(waitingMax)
  let looks = 0
  return async (address) => {
    const late = new AbortController()
    const timer = clock.timer(lookMs, () => late.abort())
    const url = new URL(address)
    const look = () => follow(url, guards, settings, late.signal)
    const looked = turns.run(String((looks += 1) % atOnceMax), look)
    if (looked === null) timer.cancel()
    if (looked === null) return refuse('TOO_MANY_REQUESTS', 'too many packages are looked at: ask again in a while')
    return looked.catch((error: unknown) => whyNot(error, url, late.signal, lookMs)).finally(() => timer.cancel())
  }
}

async function follow(
  first: URL,
  guards: { readonly first: Guard; readonly further: Guard },
  settings: AddressLookSettings,
  signal: AbortSignal,
) {
  let url = first
  for (let redirected = 0; ; redirected++) {
    signal.throwIfAborted()
    const answer = await ask(url, url.host === first.host ? guards.first : guards.further, signal)
    const { statusCode = 0, headers } = answer
    if (statusCode === 200) return digestOf(answer, url, settings.bytesMax)
    answer.destroy()
    if (!redirects.includes(statusCode))
      throw new LookFault('PACKAGE_FETCH_FAILED', `${url.host} answers ${statusCode} when asked for it`)
    const to = URL.parse(headers.location ?? '', url)
    const isSafe = to !== null && to.username === '' && (to.protocol === 'https:' || to.protocol === url.protocol)
    if (!isSafe || !/^https?:$/.test(to.protocol) || redirected >= settings.redirectsMax)
      throw new LookFault('PACKAGE_ADDRESS_REFUSED', `${url.host} sends us elsewhere, where we do not go`)
    url = to
  }
}

/** Resolves names itself, so that the connection is made to the very address that was judged. */
function ask(url: URL, guard: Guard, signal: AbortSignal): Promise<IncomingMessage> {
  const judge = (address: string): LookFault | null => {
    const refused = guard(address)
    const allow = `allow ${refused?.allow} with --package-allow, or upload the package`
    const why = `${url.host} leads to ${refused?.range}: ${allow}`
    return refused === null ? null : new LookFault('PACKAGE_ADDRESS_REFUSED', why)
  }
  const judged: LookupFunction = (name, options, tell) =>
    lookup(name, { ...options, all: true }, (error, found) => {
      if (error !== null) return tell(error, '')
      const refused = found.map(({ address }) => judge(address)).find((fault) => fault !== null)
      const [first] = found
      if (refused !== undefined || first === undefined) tell(refused ?? new Error('it has no address'), '')
      else if (options.all === true) tell(null, found)
      else tell(null, first.address, first.family)
    })
  return new Promise((resolve, reject) => {
    // Addresses of the sixth version stand in brackets, and are not looked up any more.
    const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
    const refused = isIP(host) > 0 ? judge(host) : null
    if (refused !== null) return reject(refused)
    // Packed once more on the way, the bytes would not be those that machines get.
    const headers = { 'accept-encoding': 'identity', 'user-agent': 'remuda' }
    const request = url.protocol === 'https:' ? askSecurely : askPlainly
    const asked = request(url, { agent: false, lookup: judged, headers, signal })
    asked.once('error', reject)
    asked.once('response', resolve)
    asked.end()
  })
}

async function digestOf(answer: IncomingMessage, url: URL, bytesMax: number) {
  const hash = createHash('sha256')
  let [sizeBytes, head] = [0, Buffer.alloc(0)]
  if (answer.headers['content-encoding'] !== undefined)
    throw new LookFault('PACKAGE_FETCH_FAILED', `${url.host} packs it once more`)
  // Whatever is thrown here ends the connection as well.
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length
    if (sizeBytes > bytesMax)
      throw new LookFault('PACKAGE_FETCH_FAILED', `at ${url.host} there are more than ${bytesMax} bytes`)
    if (head.length < blobHeadBytes) head = Buffer.concat([head, chunk.subarray(0, blobHeadBytes)])
    hash.update(chunk)
  }
  if (archiveFormatOf(head) === null)
    throw new LookFault('PACKAGE_FORMAT_UNKNOWN', `what ${url.host} sends begins like no tar, tar.gz or zip`)
  return { digest: hash.digest('hex'), sizeBytes }
}

function whyNot(error: unknown, { host }: URL, late: AbortSignal, lookMs: number): Refusal {
  if (error instanceof LookFault) return refuse(error.refused, error.message)
  const why = late.aborted
    ? `it took longer than ${lookMs} ms`
    : ((error as NodeJS.ErrnoException).code ?? 'the connection broke')
  return refuse('PACKAGE_FETCH_FAILED', `${host} did not send it, ${why}: give its digest in the step, or upload it`)
}
