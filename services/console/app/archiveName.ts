/** A name and a version as they are likely meant by a file name such as `shop-1.4.2.tar.gz`; empty where there is none. */
export function guessedFrom(fileName: string): { readonly name: string; readonly version: string } {
  const stem = fileName.toLowerCase().replace(/\.(tar\.gz|tgz|tar|zip)$/, '')
  const found = /^(.+?)[-_]v?(\d[a-z0-9.+-]*)$/.exec(stem)
  const name = (found?.[1] ?? stem).replaceAll(/[^a-z0-9._-]+/g, '-').replaceAll(/^[^a-z0-9]+/g, '')
  return { name: name.slice(0, 63), version: found?.[2] ?? '' }
}
