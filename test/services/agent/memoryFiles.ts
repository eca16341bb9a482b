import type { AgentFiles } from '#services/agent/ports.ts'

/** A data folder in memory that can lose power: what was not durable is then gone, in part or whole. */
export function memoryFiles() {
  const durable = new Map<string, string>()
  const volatile = new Map<string, string>()
  /** Thrown by every write, as a full disk does. */
  const fault = { error: null as Error | null }
  const write = (name: string, text: string, isDurable: boolean) => {
    if (fault.error) throw fault.error
    volatile.set(name, text)
    if (isDurable) durable.set(name, text)
  }

  const files: AgentFiles = {
    read: async (name) => volatile.get(name) ?? null,
    replace: async (name, text) => write(name, text, true),
    append: async (name, text, options) => write(name, (volatile.get(name) ?? '') + text, options.durable),
    async remove(name) {
      durable.delete(name)
      volatile.delete(name)
    },
  }
  return {
    ...files,
    fault,
    text: (name: string) => volatile.get(name) ?? '',
    names: () => [...volatile.keys()],
    /** @param tornChars how much of what was not yet durable has reached the disk all the same */
    losePower(tornChars = 0) {
      for (const [name, text] of volatile) {
        const kept = durable.get(name) ?? ''
        const torn = text.startsWith(kept) ? text.slice(0, kept.length + tornChars) : kept
        if (torn === '') volatile.delete(name)
        else volatile.set(name, torn)
      }
    },
  }
}
