import type { AgentFiles, AgentSocket, AgentTransport, CheckRunner, Enroller } from '../ports.ts'
import type { Tally } from './tally.ts'

// The idea: an agent process that is killed does nothing any more. In one process with thousands of others it cannot be
// killed, so instead nothing that it has called ever comes back to it: it waits for ever, and is collected as garbage.

/** Made anew each time: a promise that all the dead share would remember every one of them. */
const never = <Value>(): Promise<Value> => new Promise(() => {})

/** One life of a simulated machine, from the start of its agent to its death. */
export class Life {
  readonly #death = new AbortController()
  #socket: AgentSocket | null = null

  /** Aborted when the machine dies. */
  get death(): AbortSignal {
    return this.#death.signal
  }

  /** The machine loses its power: its connection breaks, and what its agent was doing is never heard of again. */
  end(): void {
    this.#death.abort()
    this.#socket?.close()
  }

  files(inner: AgentFiles): AgentFiles {
    return {
      read: (name) => this.#whileAlive(() => inner.read(name)),
      replace: (name, text) => this.#whileAlive(() => inner.replace(name, text)),
      append: (name, text, options) => this.#whileAlive(() => inner.append(name, text, options)),
      remove: (name) => this.#whileAlive(() => inner.remove(name)),
    }
  }

  enroller(inner: Enroller): Enroller {
    return { enroll: (request) => this.#whileAlive(() => inner.enroll(request)) }
  }

  checkRunner(inner: CheckRunner): CheckRunner {
    return {
      run: (check, options) => this.#whileAlive(() => inner.run(check, options)),
      clearAway: () => this.#whileAlive(() => inner.clearAway()),
    }
  }

  transport(inner: AgentTransport, tally: Tally): AgentTransport {
    return {
      connect: () =>
        this.#whileAlive(async () => {
          const opened = await inner.connect().catch((error: unknown) => {
            tally.trouble('CONNECT_FAILED')
            throw error
          })
          const socket = counted(opened, tally)
          this.#socket = socket
          // It died while the connection was being made.
          if (this.death.aborted) socket.close()
          return socket
        }),
    }
  }

  async #whileAlive<Value>(work: () => Promise<Value>): Promise<Value> {
    if (this.death.aborted) return never()
    try {
      const value = await work()
      return this.death.aborted ? never() : value
    } catch (error) {
      if (this.death.aborted) return never()
      throw error
    }
  }
}

interface Told {
  readonly type?: string
  readonly code?: string
}

/** The same socket, which counts that it is open and what the server says through it. */
function counted(socket: AgentSocket, tally: Tally): AgentSocket {
  tally.connected += 1
  tally.connections += 1
  async function* frames() {
    try {
      for await (const frame of socket.frames) {
        const { type, code = 'REFUSED' } = frame as Told
        if (type === 'result-stored') tally.stored.results += 1
        if (type === 'log-stored') tally.stored.logChunks += 1
        if (type === 'refused') tally.trouble(code)
        yield frame
      }
    } finally {
      tally.connected -= 1
    }
  }
  return { ...socket, frames: frames() }
}
