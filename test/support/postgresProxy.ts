import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PostgresServer } from './postgres.ts'

const socketName = '.s.PGSQL.5432'
/** The name of the prepared statement that appends, as it goes over the wire. */
const appends = Buffer.from('append\0')

/** When the connection of the next append is cut: before the server has it, while it is at work, or when it answers. */
type Moment = 'asking' | 'working' | 'answering'

/** Stands between a store and its server, and loses what it is told to. */
export class PostgresProxy implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'remuda-proxy-'))
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #cutAt: Moment | null = null
  #refusesAfterCut = false
  #refuses = false
  #cuts = 0

  constructor(behind: PostgresServer) {
    this.#server = createServer((socket) => this.#accept(socket, join(behind.folder, socketName)))
    this.#server.listen(join(this.folder, socketName))
  }

  /** How many connections were cut on purpose. */
  get cuts(): number {
    return this.#cuts
  }

  /** Cuts the next append's connection, once; those who come after it get through, or do not. */
  cut(moment: Moment, { thenRefuse = false } = {}): void {
    this.#cutAt = moment
    this.#refusesAfterCut = thenRefuse
  }

  /** Lets nobody through any more, nor those who are in. */
  refuse(): void {
    this.#refuses = true
    for (const socket of this.#sockets) socket.destroy()
  }

  /** Lets everybody through again. */
  admit(): void {
    this.#refuses = false
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.refuse()
    await new Promise((resolve) => this.#server.close(resolve))
    rmSync(this.folder, { recursive: true, force: true })
  }

  #accept(client: Socket, path: string): void {
    if (this.#refuses) return void client.destroy()
    const server = connect(path)
    let doomed = false
    const cut = () => {
      this.#cutAt = null
      this.#cuts++
      client.destroy()
      if (this.#refusesAfterCut) this.refuse()
    }
    for (const socket of [client, server]) {
      this.#sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => this.#sockets.delete(socket))
    }
    // The server finds out only when it wants to answer, as it would when a cable is pulled.
    client.on('close', () => server.end())
    server.on('close', () => client.destroy())
    client.on('data', (chunk: Buffer) => {
      const cutAt = chunk.includes(appends) ? this.#cutAt : null
      if (cutAt === 'asking') return cut()
      server.write(chunk)
      if (cutAt === 'working') cut()
      doomed = cutAt === 'answering'
    })
    server.on('data', (chunk) => {
      if (doomed) cut()
      else client.write(chunk)
    })
  }
}
