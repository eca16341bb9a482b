import { BusFault, type Bus } from './bus.ts'

/**
 * A bus that asks this same process first: what is answered here needs no server in between, and is answered also
 * while there is none. Everything else is as on the bus that leads outside.
 * @param inside a bus of this process alone
 */
export const localFirst = (outside: Bus, inside: Bus): Bus => ({
  publish: (subject, payload, options) => outside.publish(subject, payload, options),
  subscribe: (pattern, handler, options) => outside.subscribe(pattern, handler, options),
  respond(pattern, handler, options) {
    const answering = [outside, inside].map((bus) => bus.respond(pattern, handler, options))
    return { stop: () => answering.forEach((one) => one.stop()) }
  },
  receive(pattern, handler, options) {
    const receiving = [outside, inside].map((bus) => bus.receive(pattern, handler, options))
    return { stop: () => receiving.forEach((one) => one.stop()) }
  },
  async request(subject, payload, options) {
    try {
      return await inside.request(subject, payload, options)
    } catch (error) {
      if (!(error instanceof BusFault) || error.reason !== 'no-responders') throw error
      return outside.request(subject, payload, options)
    }
  },
  async [Symbol.asyncDispose]() {
    await outside[Symbol.asyncDispose]()
    await inside[Symbol.asyncDispose]()
  },
})
