/** The part of a resource that is asked for, both ends included. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

const singleRange = /^bytes=(\d{0,15})-(\d{0,15})$/

/**
 * What a `Range` header asks of so many bytes: a range; `whole` when it says nothing that we serve, as RFC 9110 wants;
 * `unsatisfiable` when no byte lies in it.
 * @param ifRange what `If-Range` says: when it is not this very tag, the resource has changed and goes out whole
 */
export function rangeOf(
  range: string | undefined,
  sizeBytes: number,
  { ifRange, etag }: { readonly ifRange: string | undefined; readonly etag: string },
): ByteRange | 'whole' | 'unsatisfiable' {
  const [, first = '', last = ''] = singleRange.exec(range ?? '') ?? []
  if (first === '' && last === '') return 'whole'
  if (ifRange !== undefined && ifRange !== etag) return 'whole'
  if (first === '') {
    const bytes = Math.min(Number(last), sizeBytes)
    return bytes === 0 ? 'unsatisfiable' : { start: sizeBytes - bytes, end: sizeBytes - 1 }
  }
  const start = Number(first)
  const end = last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1)
  if (last !== '' && Number(last) < start) return 'whole'
  return start > end ? 'unsatisfiable' : { start, end }
}
