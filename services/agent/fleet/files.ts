import type { AgentFiles } from '../ports.ts'

/** A data folder that lasts as long as this process: it survives the death of an agent in it, as a disk does. */
export function filesInMemory(): AgentFiles {
  const texts = new Map<string, string>()
  return {
    read: async (name) => texts.get(name) ?? null,
    replace: async (name, text) => void texts.set(name, text),
    append: async (name, text) => void texts.set(name, (texts.get(name) ?? '') + text),
    remove: async (name) => void texts.delete(name),
  }
}
