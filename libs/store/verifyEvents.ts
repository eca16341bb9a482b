import type { Recorded } from '#contracts/message.ts'
import type { Verification } from './store.ts'

const problemsMax = 100

/** Collects what is wrong, up to a limit: a store damaged throughout need not list every event. */
export class Findings {
  readonly problems: string[] = []

  add(problem: string): void {
    if (this.problems.length < problemsMax) this.problems.push(problem)
    else if (this.problems.length === problemsMax)
      this.problems.push(`and more: only the first ${problemsMax} are listed`)
  }
}

/** Checks pages of all events, in order: positions without gaps from 1, versions without gaps in every stream. */
export function verifyEvents(pages: Iterable<readonly Recorded[]>, findings = new Findings()): Verification {
  const versions = new Map<string, number>()
  let position = 0
  let events = 0
  for (const page of pages) {
    for (const { meta } of page) {
      events++
      if (meta.position !== position + 1) findings.add(`position ${position + 1}: missing, ${meta.position} follows`)
      position = meta.position
      const version = (versions.get(meta.stream) ?? 0) + 1
      if (meta.version !== version)
        findings.add(`position ${position}: ${meta.stream} continues with version ${meta.version}, not ${version}`)
      versions.set(meta.stream, meta.version)
    }
  }
  return { events, streams: versions.size, problems: findings.problems }
}
