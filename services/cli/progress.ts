import type { DeploymentRow, StepRow } from '#contracts/rows.ts'
import { path } from './client.ts'
import type { Context } from './context.ts'
import { exits, type Exit } from './exit.ts'
import { Unreachable } from './failure.ts'
import { counted } from './format.ts'
import { lasted } from './time.ts'
import { harmless, type Style } from './terminal.ts'
import { cut } from './width.ts'
import { createDeadline, timedOut } from './view.ts'

const everyMs = 500
const endedStates: readonly DeploymentRow['state'][] = ['succeeded', 'failed', 'cancelled']

const ended = ({ state }: DeploymentRow): boolean => endedStates.includes(state)

export const outcomeOf = ({ state }: DeploymentRow): Exit => (state === 'succeeded' ? exits.ok : exits.deploymentFailed)

/**
 * Waits until a deployment has ended, and shows on standard error how far it is: redrawn for a person, otherwise a
 * line for each thing that happens.
 * @param limitMs how long to wait, in milliseconds
 * @throws CliError TIMEOUT when it goes on for longer
 */
export async function awaitDeployment(context: Context, id: string, limitMs: number): Promise<DeploymentRow> {
  const { client, clock, signal } = context
  const deadline = createDeadline(context, limitMs)
  const show = context.terminal.liveProgress ? redrawn(context) : logged(context)
  while (!deadline.passed()) {
    const row = await client.get<DeploymentRow>(path`deployments/${id}`).catch((error: unknown) => {
      // It goes on without us; a server that restarts in the middle is asked again.
      if (!(error instanceof Unreachable)) throw error
      context.note(`${error.message} Trying again.`)
      return null
    })
    if (row !== null) show(row)
    if (row !== null && ended(row)) return row
    await clock.sleep(Math.min(everyMs, deadline.restMs()), signal)
  }
  throw timedOut(`Deployment ${id} has not ended within ${limitMs} ms; it goes on.`, `remuda deploy watch ${id}`)
}

type Show = (row: DeploymentRow) => void

const symbols: Readonly<Record<StepRow['state'], readonly [string, Style]>> = {
  pending: ['·', 'dim'],
  running: ['▸', 'cyan'],
  succeeded: ['✓', 'green'],
  failed: ['✗', 'red'],
  skipped: ['-', 'dim'],
  cancelled: ['-', 'dim'],
}

/** A block of lines in place: the cursor goes back up over what it wrote before. */
function redrawn({ terminal, clock }: Context): Show {
  let drawn = 0
  return (row) => {
    const { projectId, version, environmentId, state, startedAt, endedAt } = row
    const steps = row.steps.map((step) => {
      const [symbol, style] = symbols[step.state]
      const took = step.startedAt === null ? '' : ` ${lasted(clock, step.startedAt, step.endedAt)}`
      const plain = cut(`${symbol} ${harmless(step.name)}  ${tasksOf(step)}${took}`, terminal.columns - 4)
      return `  ${plain.replace(symbol, terminal.style(style, symbol))}`
    })
    const head = `${projectId} ${version} to ${environmentId}: ${state}, ${lasted(clock, startedAt ?? row.createdAt, endedAt)}`
    const ends = [head, ...waitsFor(row)].map((line) => cut(line, terminal.columns - 1))
    const lines = [ends[0], ...steps.slice(0, terminal.rows - 4), ...ends.slice(1)].map((line) => `\u001b[K${line}\n`)
    terminal.err(`${drawn === 0 ? '' : `\u001b[${drawn}A`}${lines.join('')}\u001b[J`)
    drawn = lines.length
  }
}

const tasksOf = ({ state, tasks }: StepRow): string => (Object.keys(tasks).length === 0 ? state : counted(tasks))

/** Every change once, so that a build log tells the story. */
function logged({ note }: Context): Show {
  const told = new Set<string>()
  return (row) => {
    const steps = row.steps.flatMap(({ id, name, state, reason }) =>
      state === 'pending' ? [] : [`step ${harmless(name)} (${id}): ${state}${because(reason)}`],
    )
    const targets = row.targets.flatMap(({ name, outcome, reason }) =>
      outcome === 'included' ? [] : [`target ${harmless(name)}: ${outcome}${because(reason)}`],
    )
    const lines = [...steps, ...targets, `deployment ${row.id}: ${row.state}${because(row.reason)}`, ...waitsFor(row)]
    for (const line of lines) if (!told.has(line)) note(line)
    for (const line of lines) told.add(line)
  }
}

const because = (reason: string | null): string => (reason === null ? '' : `: ${harmless(reason)}`)

const waitsFor = ({ id, approval, decisions }: DeploymentRow): readonly string[] => [
  ...(approval === null ? [] : [`waits for a person: ${harmless(approval.message)} (remuda deploy approve ${id})`]),
  ...decisions.map(
    ({ stepId, machineId, reason, options }) =>
      `asks a person about step ${stepId} on ${machineId}: ${harmless(reason)} ` +
      `(remuda deploy decide ${id} ${options.join('|')} --step ${stepId} --machine ${machineId})`,
  ),
]
