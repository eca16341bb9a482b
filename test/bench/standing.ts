/** What a server under measurement says of itself when its parent asks. */
export interface Standing {
  readonly cpuSeconds: number
  readonly rssBytes: number
  /** The most that it ever took. */
  readonly peakBytes: number
  readonly heapBytes: number
  /** Of a bare server: machines that are connected. */
  readonly machines: number
}

/** A bare server counts here; Remuda is asked over its own API. */
export const counted = { machines: 0 }

// Loaded before a server's own main file, so that the server itself need not know that it is measured.
process.on('message', (question) => {
  if (question !== 'standing') return
  globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' })
  const { user, system } = process.cpuUsage()
  const { rss: rssBytes, heapUsed: heapBytes } = process.memoryUsage()
  const peakBytes = process.resourceUsage().maxRSS * 1_024
  process.send?.({ cpuSeconds: (user + system) / 1e6, rssBytes, peakBytes, heapBytes, machines: counted.machines })
})
