import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Http } from '#libs/http/http.ts'
import { patterns } from './app/router.ts'

export interface ConsoleSettings {
  /** Where the built console is; the folder that `npm run console` writes unless told. */
  readonly folder?: string
}

interface Served {
  readonly path: string
  readonly type: string
  readonly bytes: Buffer
  readonly gzipped: Buffer
  readonly etag: string
  readonly immutable: boolean
}

const builtFolder = join(import.meta.dirname, 'dist')
const yearSeconds = 31_536_000
const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** Nothing inline, nothing from elsewhere; markup only through the framework's own policy. */
const contentPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  'trusted-types svelte-trusted-html',
].join('; ')

const headers = {
  'content-security-policy': contentPolicy,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  vary: 'accept-encoding',
}

const notBuilt = `<!doctype html>
<html lang="en">
  <head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Remuda</title></head>
  <body>
    <h1>The console has not been built</h1>
    <p>Run <code>npm run console</code> in the folder of Remuda and start the server again.</p>
    <p>The API works without it: see <a href="/docs">/docs</a>.</p>
  </body>
</html>
`

/**
 * Serves the web console: its files, and its start page at each of its addresses. The files are few and small, so they
 * are read once and held in memory; what asks for a file can name none that was not there at the start.
 */
export async function consoleRoutes(app: Http, { folder = builtFolder }: ConsoleSettings = {}): Promise<void> {
  const files = await readBuilt(folder)
  const index = files.find(({ path }) => path === '/index.html')
  const open = { config: { public: true }, schema: { hide: true } } as const

  for (const path of new Set(Object.values(patterns))) {
    app.get(path, open, (request, reply) => (index === undefined ? sendNotBuilt(reply) : send(index, request, reply)))
  }
  for (const file of files) {
    if (file !== index) app.get(file.path, open, (request, reply) => send(file, request, reply))
  }
}

async function readBuilt(folder: string): Promise<readonly Served[]> {
  const names = await readdir(folder, { recursive: true }).catch(() => [])
  const known = names.filter((name) => types[extname(name)] !== undefined)
  return Promise.all(known.map((name) => readServed(folder, name.replaceAll('\\', '/'))))
}

async function readServed(folder: string, name: string): Promise<Served> {
  const bytes = await readFile(join(folder, name))
  return {
    path: `/${name}`,
    type: types[extname(name)] ?? 'application/octet-stream',
    bytes,
    gzipped: gzipSync(bytes, { level: 9 }),
    etag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`,
    // The build writes a hash of the content into these names, so what is behind one never changes.
    immutable: name.startsWith('assets/'),
  }
}

function send(file: Served, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply.headers(headers).header('etag', file.etag)
  reply.header('cache-control', file.immutable ? `public, max-age=${yearSeconds}, immutable` : 'no-cache')
  if (request.headers['if-none-match'] === file.etag) return reply.code(304).send()
  reply.type(file.type)
  const zips = /\bgzip\b/.test(request.headers['accept-encoding'] ?? '')
  return zips ? reply.header('content-encoding', 'gzip').send(file.gzipped) : reply.send(file.bytes)
}

const sendNotBuilt = (reply: FastifyReply): FastifyReply =>
  reply.code(503).headers(headers).header('cache-control', 'no-store').type('text/html; charset=utf-8').send(notBuilt)
