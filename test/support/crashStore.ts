import { openStore as openReal, type StoreOptions } from '#libs/store/open.ts'
import type { EventStore } from '#libs/store/store.ts'

/** Which append to a deployment that this process has seen begin is its last. */
const behind = Number(process.env['CRASH_BEHIND_APPEND'])
const category = 'deployment-'

/** The store of the server, which kills its process right behind one append, before anybody hears of it. */
export async function openStore(url: string, options: StoreOptions): Promise<EventStore> {
  const store = await openReal(url, options)
  const begun = new Set<string>()
  let appends = 0
  const append: EventStore['append'] = async (stream, expectedVersion, facts, cause) => {
    const answer = await store.append(stream, expectedVersion, facts, cause)
    if (!stream.startsWith(category) || answer === 'conflict') return answer
    if (facts.some(({ type }) => type === 'DeploymentCreated')) begun.add(stream)
    if (begun.has(stream) && (appends += 1) === behind) process.kill(process.pid, 'SIGKILL')
    return answer
  }
  return new Proxy(store, {
    get(target, name) {
      if (name === 'append') return append
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
