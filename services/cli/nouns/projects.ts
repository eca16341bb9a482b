import type { Command } from 'commander'
import type { Process } from '#contracts/process.ts'
import type { ProjectRow } from '#contracts/rows.ts'
import { WrittenProcess, writtenOf } from '#contracts/writtenProcess.ts'
import { path } from '../client.ts'
import { action, type Context, type Io } from '../context.ts'
import { checked, readDocument } from '../document.ts'
import { ApiProblem } from '../failure.ts'
import { listed, nothing } from '../format.ts'
import { placed } from '../placed.ts'
import { when } from '../time.ts'
import { paged, watchable, type ListOptions, type WatchOptions } from '../options.ts'
import { withSpokenDurations } from '../spoken.ts'
import { details, table, type Column } from '../table.ts'
import { view, viewList } from '../view.ts'
import { yamlOf } from '../yamlText.ts'
import { addApply } from './applying.ts'
import { addExport } from './exporting.ts'
import { newestVersions, originText } from './templateOrigin.ts'
import { addVariables } from './variables.ts'

export function addProjects(program: Command, io: Io): void {
  const project = program.command('project').description('projects: what is deployed, step by step')
  watchable(paged(project.command('list').description('every project'))).action(
    action(io, (context, options: ListOptions & WatchOptions) =>
      viewList(context, options, { path: 'projects', columns: columns(context), none: 'There are no projects.' }),
    ),
  )
  watchable(project.command('get <project>').description('one project and its steps')).action(
    action(io, (context, options: WatchOptions, id: string) =>
      view(
        context,
        options,
        () => described(context, id),
        (row) => shown(context, row),
      ),
    ),
  )
  project
    .command('create <id>')
    .description('a new project')
    .option('--name <name>', 'what people call it')
    .action(action(io, create))
  project.command('rename <project> <name>').description('another name; the id stays').action(action(io, rename))
  addApply(project, io)
  addExport(project, io)
  addProcess(project, io)
  addVariables(project, io)
  project
    .command('override <project> <environment> <version>')
    .description('pin the release that machines get; `none` goes back to the newest that succeeded')
    .requiredOption('--reason <text>', 'why, for those who ask later')
    .action(action(io, override))
  project
    .command('close-circuit <project> <environment> <version>')
    .description('deploy a release automatically again that was stopped because it failed too often')
    .action(action(io, closeCircuit))
  project.addHelpText('after', help)
}

function addProcess(project: Command, io: Io): void {
  const process = project.command('process').description('the steps of a deployment')
  process
    .command('get <project>')
    .description('the steps, as YAML that `set` takes')
    .action(
      action(io, async (context, _options: object, id: string) => {
        const process = await context.client.get<Process>(path`projects/${id}/process`)
        context.show(process, (steps) => yamlOf(withSpokenDurations(writtenOf(steps))))
      }),
    )
  process
    .command('set <project>')
    .description('put other steps in place; releases that exist keep theirs')
    .requiredOption('--file <file>', 'YAML or JSON, - for standard input')
    .option('--force', 'also when somebody else changed the steps meanwhile')
    .action(action(io, setProcess))
}

async function create(context: Context, { name }: { name?: string }, id: string): Promise<void> {
  const reply = await context.client.send('POST', 'projects', { id, ...(name === undefined ? {} : { name }) })
  context.done(reply, `Project ${id} is made.`)
}

async function rename(context: Context, _options: object, id: string, name: string): Promise<void> {
  context.done(await context.client.send('PUT', path`projects/${id}`, { name }), `Project ${id} is now "${name}".`)
}

async function setProcess(context: Context, options: { file: string; force?: boolean }, id: string): Promise<void> {
  const { client } = context
  const source = await readDocument(options.file)
  const process = checked(source, WrittenProcess)
  const { etag } = await client.read<Process>(path`projects/${id}/process`)
  const ifMatch = options.force === true ? null : etag
  const reply = await client.send('PUT', path`projects/${id}/process`, process, ifMatch).catch((error: unknown) => {
    throw error instanceof ApiProblem ? placed(source, error) : error
  })
  context.done(reply, `The steps of ${id} are changed. Releases made from now on have them.`)
}

async function override(
  context: Context,
  { reason }: { reason: string },
  id: string,
  env: string,
  given: string,
): Promise<void> {
  const version = given === 'none' ? null : given
  const reply = await context.client.send('PUT', path`projects/${id}/environments/${env}/override`, { version, reason })
  const sentence = version === null ? 'follows the newest release that succeeded' : `is pinned to ${version}`
  context.done(reply, `${id} in ${env} ${sentence}.`)
}

async function closeCircuit(context: Context, _: object, id: string, env: string, version: string): Promise<void> {
  const reply = await context.client.send('DELETE', path`projects/${id}/environments/${env}/circuits/${version}`)
  context.done(reply, `${version} of ${id} is deployed automatically to ${env} again.`)
}

/** The project, and beside it what is newest of the templates that its steps came from. */
async function described(context: Context, id: string) {
  const row = await context.client.get<ProjectRow>(path`projects/${id}`)
  const newest = await newestVersions(context, row.process)
  return newest.size === 0 ? row : { ...row, newestTemplates: Object.fromEntries(newest) }
}

const columns = ({ terminal, clock }: Context): readonly Column<ProjectRow>[] => [
  { title: 'id', cell: ({ id }) => id },
  { title: 'name', cell: ({ name }) => name, flexible: true },
  { title: 'latest', cell: ({ latestVersion }) => latestVersion ?? nothing },
  { title: 'steps', align: 'right', cell: ({ process }) => process.steps.length },
  { title: 'process', align: 'right', cell: ({ processVersion }) => processVersion },
  { title: 'pinned', cell: ({ overrides }) => pins(overrides), flexible: true },
  { title: 'created', cell: ({ createdAt }) => when(terminal, clock, createdAt) },
]

const pins = (overrides: ProjectRow['overrides']) =>
  listed(Object.entries(overrides).map(([environment, version]) => `${environment}: ${version}`))

type Described = ProjectRow & { readonly newestTemplates?: Readonly<Record<string, number>> }

function shown({ terminal, clock }: Context, row: Described): string {
  const known = details(terminal, [
    ['id', row.id],
    ['name', row.name],
    ['latest release', row.latestVersion ?? nothing],
    ['pinned', pins(row.overrides)],
    ['variables', listed(row.variables.map(({ name }) => name))],
    ['process version', row.processVersion],
    ['created', when(terminal, clock, row.createdAt)],
  ])
  return row.process.steps.length === 0
    ? `${known}\nIt has no steps yet.\n`
    : `${known}\n${table(terminal, stepColumnsOf(row), row.process.steps)}`
}

const stepColumns: readonly Column<ProjectRow['process']['steps'][number]>[] = [
  { title: 'step', cell: ({ id }) => id },
  { title: 'name', cell: ({ id, name }) => name ?? id, flexible: true },
  { title: 'kind', cell: ({ kind }) => kind },
  { title: 'when', cell: ({ condition }) => condition },
  {
    title: 'on',
    cell: (step) => {
      if (step.kind === 'package') return listed(step.roles)
      return step.kind === 'script' ? (step.on === 'worker' ? 'worker' : listed(step.roles)) : nothing
    },
  },
]

const stepColumnsOf = ({ process, newestTemplates = {} }: Described): typeof stepColumns => {
  if (process.steps.every(({ template }) => template === undefined)) return stepColumns
  const newest = new Map(Object.entries(newestTemplates))
  return [...stepColumns, { title: 'template', cell: (step) => originText(step, newest), flexible: true }]
}

const help = `
Examples:
  remuda project create shop
  remuda project process set shop --file process.yaml
  remuda project variables set shop GREETING=hello --environment production
  remuda project override shop production 1.4.2 --reason "1.5.0 leaks memory"`
