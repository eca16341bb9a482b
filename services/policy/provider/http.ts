import { readFile } from 'node:fs/promises'
import { parseJsonInventory, type Inventory } from './inventory.ts'
import { ProviderFault, type Provider } from './provider.ts'

const jsonType = /^application\/([\w.-]+\+)?json\s*(;|$)/i
/** What a header can hold. Anything else would be refused in words that repeat it. */
const bearer = /^[\x21-\x7e]{1,8192}$/

export interface HttpSettings {
  readonly name: string
  readonly url: string
  /** Holds the token that the provider wants to see. It is read anew each time, since tokens are renewed. */
  readonly tokenFile?: string | undefined
  readonly bytesMax: number
}

/** An inventory that is asked for over HTTP: a GET that is answered with JSON. Redirects are not followed. */
export function httpProvider({ name, url, tokenFile, bytesMax }: HttpSettings): Provider {
  let known: { readonly etag: string; readonly inventory: Inventory } | null = null
  return {
    name,
    kind: 'http',
    async list(signal) {
      const response = await reach(url, await headersFor(tokenFile, known?.etag), signal)
      if (response.status === 304 && known !== null) return known.inventory
      const inventory = parseJsonInventory(await bodyOf(response, bytesMax, signal))
      const etag = response.headers.get('etag')
      known = etag === null ? null : { etag, inventory }
      return inventory
    },
  }
}

async function headersFor(tokenFile: string | undefined, etag: string | undefined): Promise<Record<string, string>> {
  const headers = { accept: 'application/json', ...(etag === undefined ? {} : { 'if-none-match': etag }) }
  if (tokenFile === undefined) return headers
  const token = await readFile(tokenFile, 'utf8').catch(({ code }: NodeJS.ErrnoException) => {
    throw new ProviderFault(`the file of its token cannot be read (${code})`)
  })
  if (!bearer.test(token.trim())) throw new ProviderFault('the file of its token holds no token')
  return { ...headers, authorization: `Bearer ${token.trim()}` }
}

/** What goes wrong on the way is told by its code: messages may repeat what was sent. */
async function reach(url: string, headers: Record<string, string>, signal: AbortSignal): Promise<Response> {
  try {
    return await fetch(url, { headers, signal, redirect: 'manual' })
  } catch (error) {
    signal.throwIfAborted()
    throw new ProviderFault(`it cannot be reached (${codeOf(error)})`)
  }
}

async function bodyOf(response: Response, bytesMax: number, signal: AbortSignal): Promise<string> {
  const { status, headers, body } = response
  try {
    if (status >= 300 && status < 400 && status !== 304)
      throw new ProviderFault(`it answers ${status}, and redirects are not followed`)
    if (status !== 200) throw new ProviderFault(`it answers ${status}`)
    const type = headers.get('content-type')
    if (type === null || !jsonType.test(type)) throw new ProviderFault('its answer does not say that it is JSON')
    return await textOf(body, bytesMax)
  } catch (error) {
    // What nobody reads would keep the connection open.
    await body?.cancel().catch(() => {})
    signal.throwIfAborted()
    throw error instanceof ProviderFault ? error : new ProviderFault(`its answer breaks off (${codeOf(error)})`)
  }
}

async function textOf(body: Response['body'], bytesMax: number): Promise<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  const parts: string[] = []
  let bytes = 0
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength
    if (bytes > bytesMax) throw new ProviderFault(`its answer has more than ${bytesMax} bytes`)
    parts.push(decoder.decode(chunk, { stream: true }))
  }
  return parts.join('') + decoder.decode()
}

function codeOf(error: unknown): string {
  const { cause, code } = error as NodeJS.ErrnoException & { readonly cause?: NodeJS.ErrnoException }
  // Ports of other protocols, such as 6000, which no client that keeps to the Fetch standard speaks HTTP to.
  if (cause?.message === 'bad port') return 'its port is not one for HTTP; choose another'
  return cause?.code ?? code ?? 'no reason given'
}
