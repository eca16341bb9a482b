import type { ChildProcess } from 'node:child_process'
import type { Readable } from 'node:stream'

/**
 * Hands on what a process prints, both streams as they come, until no more is wanted; the rest is read and dropped,
 * so that a script that prints too much is not held up.
 */
export function copyOutput(child: ChildProcess, output: (text: string, source: 'out' | 'err') => boolean) {
  const streams = [child.stdout, child.stderr].filter((stream) => stream !== null)
  const ended = Promise.all(
    streams.map((stream) => copy(stream, (text) => output(text, stream === child.stderr ? 'err' : 'out'))),
  )
  return {
    /** Resolves when all who hold the streams open have let go of them. */
    ended,
    /** Lets go of the streams, whoever still holds their other end. */
    stop() {
      for (const stream of streams) stream.destroy()
    },
  }
}

function copy(stream: Readable, output: (text: string) => boolean): Promise<void> {
  const decoder = new TextDecoder()
  let isWanted = true
  const take = (bytes: Uint8Array) => {
    if (isWanted) isWanted = output(decoder.decode(bytes, { stream: true }))
  }
  stream.on('data', take)
  return new Promise((resolve) => {
    stream.once('error', () => resolve())
    stream.once('close', () => {
      if (isWanted) output(decoder.decode())
      resolve()
    })
  })
}
