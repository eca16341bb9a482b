import { registerHooks } from 'node:module'

/**
 * To be imported before the server's own main: puts the store that kills the process in the place of the store that the
 * server opens, so that the server itself knows nothing of it.
 */
const opening = new URL('../../libs/store/open.ts', import.meta.url).href
const ours = new URL('./crashStore.ts', import.meta.url).href

registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context)
    return resolved.url === opening && context.parentURL !== ours ? { ...resolved, url: ours } : resolved
  },
})
