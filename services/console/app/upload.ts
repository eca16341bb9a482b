import type { PackageRow } from '#contracts/package.ts'
import { Problem } from './problem.ts'

export interface UploadSettings {
  readonly name: string
  readonly version: string
  readonly file: Blob
  readonly token: string
  readonly freshId: string
  /** How much of it has been sent, from 0 to 1. */
  readonly onProgress: (share: number) => void
  readonly signal: AbortSignal
}

type Stored = Pick<PackageRow, 'digest' | 'sizeBytes' | 'mediaType'>

/** Sends an archive as it is. `fetch` cannot tell how far an upload is, so this is the browser's older way. */
export function upload({ name, version, file, token, freshId, onProgress, signal }: UploadSettings): Promise<Stored> {
  const { promise, resolve, reject } = Promise.withResolvers<Stored>()
  const request = new XMLHttpRequest()
  const stop = () => request.abort()
  request.open('POST', `/v1/packages/${encodeURIComponent(name)}/versions/${encodeURIComponent(version)}`)
  request.setRequestHeader('authorization', `Bearer ${token}`)
  request.setRequestHeader('content-type', 'application/octet-stream')
  request.setRequestHeader('idempotency-key', freshId)
  request.upload.addEventListener('progress', ({ loaded, total }) => onProgress(total === 0 ? 1 : loaded / total))
  request.addEventListener('load', () => {
    const body = bodyOf(request.responseText)
    if (request.status < 300) resolve(body as Stored)
    else reject(new Problem(request.status, body))
  })
  const broken = () =>
    reject(new Problem(0, { title: 'The upload was cut off.', detail: 'Nothing of it is kept. Send it again.' }))
  request.addEventListener('error', broken)
  request.addEventListener('abort', broken)
  signal.addEventListener('abort', stop, { once: true })
  request.send(file)
  return promise.finally(() => signal.removeEventListener('abort', stop))
}

function bodyOf(text: string): object {
  try {
    const body: unknown = JSON.parse(text)
    return typeof body === 'object' && body !== null ? body : {}
  } catch {
    return {}
  }
}
