import { Client, Pool, type ClientBase } from 'pg'
import { StoreFault } from '../store.ts'
import { isHome, type Home } from './home.ts'
import { prepareSession, type Backend } from './session.ts'
import type { Target } from './target.ts'

const readersMax = 4
const idleMs = 30_000

/** The ways into the database: one connection that appends, a few that read, and those that listen. */
export class Connections implements AsyncDisposable {
  readonly writing: Pool
  readonly reading: Pool
  readonly #target: Target
  readonly #backends = new WeakMap<ClientBase, Backend>()
  #home: Home | null = null

  constructor(target: Target) {
    this.#target = target
    this.writing = this.#pool(1)
    this.reading = this.#pool(readersMax)
  }

  /** From now on every new connection has to lead to this store. */
  expect(home: Home): void {
    this.#home = home
  }

  readonly backendOf = (client: ClientBase): Backend => this.#backends.get(client) ?? { pid: '', startedAt: '' }

  /** A connection of its own, for who asks. Ends with whoever asked for it. */
  async connect(): Promise<Client> {
    const client = new Client(this.#target.config)
    client.on('error', ignore)
    try {
      await client.connect()
      await this.#prepare(client)
      return client
    } catch (error) {
      await client.end().catch(ignore)
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.writing.end(), this.reading.end()])
  }

  #pool(max: number): Pool {
    const onConnect = (client: ClientBase) => this.#prepare(client)
    const pool = new Pool({ ...this.#target.config, max, idleTimeoutMillis: idleMs, onConnect })
    return pool.on('error', ignore)
  }

  async #prepare(client: ClientBase): Promise<void> {
    client.on('error', ignore)
    this.#backends.set(client, await prepareSession(client, this.#target.schema))
    if (this.#home !== null && !(await isHome(client, this.#home)))
      throw new StoreFault(
        'The database is not the one that was opened: a backup was restored or a standby took over. Start Remuda again.',
      )
  }
}

/**
 * A connection that breaks says so twice: to who waits for an answer, and to who listens to the connection itself. When
 * nobody listens to that, Node ends the process; but all that there is to do is done by who gets no answer.
 */
const ignore = () => {}
