import { renameSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * The shop: tells each visitor its version and its machine, in two parts with a moment between them (`?moment=` ms), so
 * that whoever is cut off in the middle notices. It writes the port where it listens into a file when it is ready.
 */
const { REMUDA_VERSION = 'none', REMUDA_MACHINE_NAME = 'none', PORT_FILE = 'port' } = process.env
const usualMs = 40
const momentMaxMs = 5_000

const server = createServer((request, response) => {
  void (async () => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://shop')
    const momentMs = Math.min(Number(searchParams.get('moment') ?? usualMs) || 0, momentMaxMs)
    await sleep(momentMs)
    response.writeHead(pathname === '/' ? 200 : 404, { 'content-type': 'text/plain' })
    response.write(`${REMUDA_VERSION} `)
    await sleep(momentMs)
    response.end(REMUDA_MACHINE_NAME)
  })()
})

server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  writeFileSync(`${PORT_FILE}.new`, String(port))
  renameSync(`${PORT_FILE}.new`, PORT_FILE)
})
