export interface FrameQueue extends AsyncIterable<unknown> {
  /** Takes a frame; false when too many wait, and then nothing more is taken. */
  push(frame: unknown): boolean
  end(): void
}

/** Turns frames that come by callback into ones that are read in turn. For one reader. */
export function createFrameQueue(framesMax: number): FrameQueue {
  const frames: unknown[] = []
  let isEnded = false
  let wake = () => {}

  async function* read() {
    for (;;) {
      while (frames.length > 0) yield frames.shift()
      if (isEnded) return
      await new Promise<void>((resolve) => (wake = resolve))
    }
  }

  return {
    push(frame) {
      if (isEnded || frames.length >= framesMax) return false
      frames.push(frame)
      wake()
      return true
    },
    end() {
      isEnded = true
      wake()
    },
    [Symbol.asyncIterator]: read,
  }
}
