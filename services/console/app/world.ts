/** The only door to the browser's time and chance, as libs/systemClock.ts is on the server. */
export const nowMs = (): number => Date.now()

/** Resolves after `delayMs`, or at once when the signal aborts: look at the signal afterwards. */
export function sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve()
    const stop = () => {
      clearTimeout(pending)
      signal?.removeEventListener('abort', stop)
      resolve()
    }
    const pending = setTimeout(stop, delayMs)
    signal?.addEventListener('abort', stop, { once: true })
  })
}

/** Calls `run` once after `delayMs`; the function returned cancels it. */
export function later(delayMs: number, run: () => void): () => void {
  const pending = setTimeout(run, delayMs)
  return () => clearTimeout(pending)
}

/** A number in [0, 1). */
export const chance = (): number => Math.random()

/** A fresh id; `randomUUID` is missing where the console is served over plain HTTP, so it is not used. */
export const freshId = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
