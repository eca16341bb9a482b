import type { AgentCheck, AgentFrame } from '#contracts/agent.ts'
import { findingCharsMax } from '#contracts/health.ts'
import type { ScriptEnd } from '../ports.ts'
import { cutAt } from '../taskLog.ts'

export type CheckResult = Extract<AgentFrame, { type: 'check-result' }>

const warningExitCode = 1
const cutNote = `[cut off here: more than ${findingCharsMax} characters]`

/** Keeps what a check prints, as much of it as can be told. */
export class Printed {
  text = ''

  /** False once there is more than is wanted. */
  readonly write = (text: string): boolean => {
    if (this.text.length <= findingCharsMax) this.text += text.slice(0, findingCharsMax + 1)
    return this.text.length <= findingCharsMax
  }
}

/** What a run of a check says of the machine: exit code 0 is ok, 1 a warning, and whatever else happens a failure. */
export function resultOf(check: AgentCheck, end: ScriptEnd, printed: string, durationMs: number): CheckResult {
  return {
    type: 'check-result',
    check: check.name,
    level: levelOf(end),
    output: told(printed, noteOn(end, printed)),
    exitCode: end.exitCode,
    durationMs: Math.round(durationMs),
    timedOut: end.reason === 'time-limit',
  }
}

function levelOf({ reason, exitCode }: ScriptEnd): CheckResult['level'] {
  if (reason === null) return 'ok'
  return reason === 'exit-code' && exitCode === warningExitCode ? 'warning' : 'failure'
}

/** What went wrong, where the check could not say it itself. */
function noteOn({ reason, detail }: ScriptEnd, printed: string): string {
  if (reason === null || (reason === 'exit-code' && printed.trim() !== '')) return ''
  return reason === 'could-not-start' ? `it could not be started: ${detail}` : detail
}

function told(printed: string, note: string): string {
  const parts = (text: string, ...notes: readonly string[]) => [text, ...notes].filter((part) => part !== '').join('\n')
  const whole = parts(printed, note)
  if (whole.length <= findingCharsMax) return whole
  const notes = parts(cutNote, note)
  const room = findingCharsMax - notes.length - 1
  // A note that leaves no room for the rest is all that is told.
  if (room <= 0) return notes.slice(0, findingCharsMax)
  return parts(printed.slice(0, cutAt(printed, room)), notes)
}
