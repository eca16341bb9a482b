import type { Tally } from './tally.ts'

/** What is said of a fleet in the end, for programs. */
export interface Summary {
  readonly server: string
  readonly seed: number
  readonly name: string
  readonly count: number
  readonly joined: number
  readonly connections: number
  readonly died: number
  readonly returned: number
  readonly scripts: Omit<Tally['scripts'], 'running'>
  readonly stored: Tally['stored']
  readonly logLines: number
  readonly troubles: Readonly<Record<string, number>>
  readonly elapsedMs: number
}

export function summaryOf(
  about: Pick<Summary, 'server' | 'seed' | 'name' | 'count' | 'elapsedMs'>,
  tally: Tally,
): Summary {
  const { joined, connections, died, returned, stored, logLines } = tally
  const { running: _, ...scripts } = tally.scripts
  const troubles = Object.fromEntries(tally.troubles)
  return { ...about, joined, connections, died, returned, scripts, stored: { ...stored }, logLines, troubles }
}

/** One line that says how a fleet is, to be written over the one before. */
export function lineOf(count: number, { connected, joined, died, returned, scripts, logLines, troubles }: Tally) {
  const { running, succeeded, failed, dead } = scripts
  const lost = died === 0 ? '' : ` · ${died} died, ${returned} came back`
  const trouble = [...troubles].map(([code, times]) => ` · ${code} ${times}`).join('')
  return (
    `${connected} of ${count} connected (${joined} joined)${lost} · scripts: ${running} running, ` +
    `${succeeded} succeeded, ${failed} failed${dead === 0 ? '' : `, ${dead} lost`} · ${logLines} lines${trouble}`
  )
}

/** The same for people, in the end. */
export function sentencesOf({ server, seed, count, elapsedMs, ...summary }: Summary): string {
  const { joined, connections, died, returned, scripts, stored, logLines, troubles } = summary
  const { started, succeeded, failed, stopped, dead } = scripts
  const trouble = Object.entries(troubles).map(([code, times]) => `${code} ${times}`)
  return [
    `${joined} of ${count} machines joined ${server} (seed ${seed}); ${connections} connections in ${elapsedMs} ms`,
    `${died} died, ${returned} of them came back`,
    `${started} scripts: ${succeeded} succeeded, ${failed} failed, ${stopped} stopped, ${dead} died with their machine`,
    `${logLines} lines printed; the server has stored ${stored.results} results and ${stored.logChunks} pieces of logs`,
    ...(trouble.length === 0 ? [] : [`troubles: ${trouble.join(', ')}`]),
    '',
  ].join('\n')
}
