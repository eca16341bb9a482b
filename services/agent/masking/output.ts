import type { Clock, Timer } from '#libs/clock.ts'
import type { RunOptions, RunOutcome } from '../ports.ts'
import type { Mask } from './mask.ts'

interface Needs {
  readonly clock: Clock
  /** After which time a few letters that are kept back are let go. */
  readonly flushMs: number
  readonly write: (text: string) => boolean
}

/** Hides values in what a script prints, in each of its streams by itself, before anything else sees it. */
export function maskOutput(mask: Mask, { clock, flushMs, write }: Needs) {
  const streams = { out: mask.begin(), err: mask.begin() }
  let timer: Timer | undefined
  let isWanted = true
  const pass = (text: string) => {
    if (text !== '') isWanted = write(text)
    return isWanted
  }
  const release = () => {
    timer = undefined
    for (const stream of Object.values(streams)) pass(stream.release())
  }
  const output: RunOptions['output'] = (text, source = 'out') => {
    timer ??= clock.timer(flushMs, release)
    return pass(streams[source].write(text))
  }
  return {
    output,
    /** Lets go of what is kept back. */
    end() {
      timer?.cancel()
      for (const stream of Object.values(streams)) pass(stream.end())
    },
  }
}

/**
 * What a run came to, without sensitive values. Outputs are recorded for ever and handed to other machines, so one with
 * such a value in it is a failure: with the value hidden, later steps would work with something else in silence.
 */
export function withoutSecrets(outcome: RunOutcome, mask: Mask): RunOutcome {
  const telling = Object.entries(outcome.outputs ?? {}).find(([, value]) => mask.apply(value) !== value)
  if (outcome.outcome === 'failed') {
    const { outputs: _, ...rest } = outcome
    return { ...(telling === undefined ? outcome : rest), detail: mask.apply(outcome.detail) }
  }
  if (telling === undefined) return outcome
  const detail = `the output ${telling[0]} holds the value of a sensitive variable; give later steps the variable itself`
  return { outcome: 'failed', reason: 'bad-output', exitCode: null, detail }
}
