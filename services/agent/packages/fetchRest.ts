import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import type { Clock } from '#libs/clock.ts'
import { PackageFault } from './fault.ts'
import { bytesOf, rememberValidator, validatorOf, type PartialFile } from './partialFile.ts'
import type { PackageSource } from './source.ts'
import type { DownloadOptions, Wanted } from './wanted.ts'

const fileMode = 0o600
const redirects = [301, 302, 303, 307, 308]
const rangePattern = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/
/** Only a strong tag says that every byte is the same. */
const strongTag = /^"[^"]*"$/
const unauthorized = 401
const unsatisfiable = 416

/** Something that may be otherwise in a while. */
export class Passing extends Error {
  override readonly name = 'Passing'
}

/**
 * Asks for what is missing of a package and adds it to what is there.
 * @throws Passing when it may go better in a while, PackageFault when it will not
 */
export async function fetchRest(
  source: PackageSource,
  wanted: Wanted,
  partial: PartialFile,
  options: DownloadOptions,
): Promise<void> {
  const stall = new AbortController()
  using patience = stallTimer(options.clock, options.limits.stallMs, stall)
  const signal = AbortSignal.any([options.signal, stall.signal])
  const taking = { patience, bytesMax: wanted.sizeBytes ?? options.limits.bytesMax }
  const have = await bytesOf(partial)
  if (wanted.sizeBytes !== null && have > wanted.sizeBytes)
    throw digestWrong(`${have} bytes came of ${wanted.sizeBytes}`)
  try {
    if (have === wanted.sizeBytes) return await append(nothing(), have, wanted, partial, taking)
    const response = await ask(source, rangeFrom(have, await validatorOf(partial)), signal, options.limits.redirectsMax)
    const start = startOf(response, have, wanted)
    await rememberValidator(partial, tagOf(response))
    await append(response.body ?? nothing(), start, wanted, partial, taking)
  } catch (error) {
    options.signal.throwIfAborted()
    throw stall.signal.aborted ? stall.signal.reason : asPassing(error, source.url)
  }
}

const rangeFrom = (have: number, validator: string): Readonly<Record<string, string>> =>
  have === 0 ? {} : { range: `bytes=${have}-`, ...(validator === '' ? {} : { 'if-range': validator }) }

async function ask(
  source: PackageSource,
  range: Readonly<Record<string, string>>,
  signal: AbortSignal,
  redirectsMax: number,
): Promise<Response> {
  let { url } = source
  for (let redirected = 0; ;) {
    // Packed once more on the way, the bytes would not be those that the digest is of.
    const headers = { 'accept-encoding': 'identity', ...source.credential(), ...range }
    const response = await fetch(url, { headers, redirect: 'manual', signal })
    if (response.ok || response.status === unsatisfiable) return response
    await response.body?.cancel()
    if (redirects.includes(response.status)) {
      const to = URL.parse(response.headers.get('location') ?? '', url)
      if ((redirected += 1) > redirectsMax || to === null || !source.mayRedirect(to))
        throw new PackageFault('PACKAGE_URL_UNSAFE', `${url.host} sends us elsewhere, where we do not go`)
      url = to
      continue
    }
    if (response.status === unauthorized && source.correctClock(response.headers.get('date'))) continue
    throw refusal(url, response.status)
  }
}

function refusal(url: URL, status: number): Error {
  const says = `${url.host} answers ${status}`
  const mayPass = status >= 500 || status === 408 || status === 425 || status === 429
  return mayPass ? new Passing(says) : new PackageFault('PACKAGE_DOWNLOAD_FAILED', `${says} when asked for it`)
}

/** Where what comes belongs. Whoever answers otherwise than asked is believed only when it makes sense. */
function startOf(response: Response, have: number, { sizeBytes }: Wanted): number {
  const { status, headers } = response
  if (headers.has('content-encoding')) throw new PackageFault('PACKAGE_DOWNLOAD_FAILED', 'it comes packed once more')
  if (status === unsatisfiable) throw digestWrong('the other side has fewer bytes than we')
  if (status === 206) {
    const [, first, last, total] = rangePattern.exec(headers.get('content-range') ?? '') ?? []
    if (Number(first) !== have || Number(last) !== Number(total) - 1 || Number(total) !== (sizeBytes ?? Number(total)))
      throw digestWrong('another range came than was asked for')
    return have
  }
  const length = headers.get('content-length')
  if (sizeBytes !== null && length !== null && Number(length) !== sizeBytes)
    throw digestWrong(`${length} bytes are to come, not ${sizeBytes}`)
  return 0
}

/** Adds what comes, and holds all of it against the digest. */
async function append(
  content: AsyncIterable<Uint8Array>,
  start: number,
  { digest, sizeBytes }: Wanted,
  { path }: PartialFile,
  { patience, bytesMax }: { readonly patience: Patience; readonly bytesMax: number },
): Promise<void> {
  const hash = createHash('sha256')
  await using file = await open(path, start === 0 ? 'w' : 'a', fileMode)
  if (start > 0) for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  let bytes = start
  for await (const chunk of content) {
    patience.renew()
    bytes += chunk.length
    if (bytes > bytesMax)
      throw sizeBytes === null ? tooLarge(bytesMax) : digestWrong(`more than ${sizeBytes} bytes came`)
    hash.update(chunk)
    await file.writeFile(chunk)
  }
  if (sizeBytes !== null && bytes < sizeBytes)
    throw new Passing(`the connection ended after ${bytes} of ${sizeBytes} bytes`)
  const came = hash.digest('hex')
  if (came !== digest) throw digestWrong(`what came has the digest ${came}`)
  await file.sync()
}

interface Patience extends Disposable {
  renew(): void
}

function stallTimer(clock: Clock, stallMs: number, stall: AbortController): Patience {
  const start = () => clock.timer(stallMs, () => stall.abort(new Passing(`nothing came for ${stallMs} ms`)))
  let timer = start()
  return {
    renew() {
      timer.cancel()
      timer = start()
    },
    [Symbol.dispose]: () => timer.cancel(),
  }
}

const tagOf = ({ headers }: Response): string => {
  const tag = headers.get('etag') ?? ''
  return strongTag.test(tag) ? tag : ''
}

/** What the network says is hidden in the cause of what `fetch` throws. Anything else is no matter of the network. */
function asPassing(error: unknown, url: URL): unknown {
  if (!(error instanceof TypeError)) return error
  const { message, cause } = error
  const why = cause instanceof Error ? cause.message || String((cause as NodeJS.ErrnoException).code) : message
  return new Passing(`cannot get it from ${url.host}: ${why}`, { cause: error })
}

async function* nothing(): AsyncGenerator<Uint8Array, void> {}
const tooLarge = (bytesMax: number) =>
  new PackageFault('PACKAGE_TOO_LARGE', `it has more bytes than this machine takes, which are ${bytesMax}`)
const digestWrong = (why: string) =>
  new PackageFault('PACKAGE_DIGEST_WRONG', `${why}: it is not the package of the release`)
