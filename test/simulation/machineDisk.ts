import type { AgentFiles } from '#services/agent/ports.ts'
import type { Context } from './context.ts'

interface StoredFile {
  /** What a power cut leaves in any case. */
  synced: string
  /** Written and not yet on disk, in order: a crash keeps the first so many, and may tear the next. */
  readonly loose: string[]
}

const writeMinMs = 1
const writeMaxMs = 20

/** What stays when a machine's agent is gone. */
export class MachineDisk {
  readonly #files = new Map<string, StoredFile>()

  /** The data folder as one agent process sees it; it cannot write any more once that process is dead. */
  open(context: Context): AgentFiles {
    const write = async (change: () => void) => {
      await context.clock.sleep(writeMinMs + context.dice.chance() * (writeMaxMs - writeMinMs))
      change()
    }
    let tail: Promise<void> = Promise.resolve()
    const inTurn = (change: () => void) => (tail = tail.then(() => write(change)))
    return {
      read: async (name) => {
        await tail
        const file = this.#files.get(name)
        return file ? file.synced + file.loose.join('') : null
      },
      replace: (name, text) => inTurn(() => void this.#files.set(name, { synced: text, loose: [] })),
      append: (name, text, { durable }) => {
        if (durable) return inTurn(() => this.#sync(this.#append(name, text)))
        return (tail = tail.then(() => void (context.isDead || this.#append(name, text))))
      },
      remove: (name) => inTurn(() => void this.#files.delete(name)),
    }
  }

  /** A disk with the same on it, as an image of the machine has. */
  copy(): MachineDisk {
    const copy = new MachineDisk()
    for (const [name, { synced, loose }] of this.#files) copy.#files.set(name, { synced, loose: [...loose] })
    return copy
  }

  /** The machine loses power: of what was not synced, a part is gone. A process that merely dies loses nothing. */
  losePower(chance: () => number): void {
    for (const file of this.#files.values()) {
      const kept = Math.floor(chance() * (file.loose.length + 1))
      const torn = file.loose[kept] ?? ''
      file.synced += file.loose.slice(0, kept).join('') + torn.slice(0, Math.floor(chance() * torn.length))
      file.loose.length = 0
    }
  }

  #append(name: string, text: string): StoredFile {
    const file = this.#files.get(name) ?? { synced: '', loose: [] }
    this.#files.set(name, file)
    file.loose.push(text)
    return file
  }

  #sync(file: StoredFile): void {
    file.synced += file.loose.join('')
    file.loose.length = 0
  }
}
