import type { Command } from 'commander'
import { stringify } from 'yaml'
import { PutVariablesBody, type GivenVariable } from '#contracts/api.ts'
import type { ProjectRow } from '#contracts/rows.ts'
import type { VariableRow } from '#contracts/variableRow.ts'
import { path } from '../client.ts'
import { action, type Context, type Io } from '../context.ts'
import { checked, readDocument, type Source } from '../document.ts'
import { usage } from '../exit.ts'
import { listed } from '../format.ts'
import { many } from '../values.ts'
import { table, type Column } from '../table.ts'
import { newVariables, sameVariable, type Setting } from './variableSetting.ts'

export function addVariables(project: Command, io: Io): void {
  const variables = project.command('variables').description('values for scripts, given as environment variables')
  variables
    .command('get <project>')
    .description('every variable and where it holds; of sensitive ones not the value')
    .option('--yaml', 'as YAML that `set --file` takes')
    .action(action(io, get))
  variables
    .command('set <project> [assignments...]')
    .description('set some (NAME=value), a sensitive one, or all of them with --file')
    .option('--environment <id>', 'only in these environments', many)
    .option('--role <role>', 'only on machines with one of these roles', many)
    .option('--machine <machine>', 'only on these machines, by id or name', many)
    .option('--step <step>', 'only in these steps', many)
    .option('--as-file', 'scripts get the path of a file that holds the value')
    .option('--sensitive', 'keep the value of NAME encrypted and out of logs; nobody can read it back')
    .option('--from-stdin', 'the value is standard input')
    .option('--from-file <file>', 'the value is what this file holds')
    .option('--file <file>', 'all variables, YAML or JSON with `variables:`, - for standard input')
    .action(action(io, set))
  variables
    .command('unset <project> <names...>')
    .description('take variables away, wherever they hold')
    .action(action(io, unset))
  variables
    .command('destroy <project> <name>')
    .description('make every value that a sensitive variable ever had unreadable, in backups and releases too')
    .action(action(io, destroy))
}

async function get(context: Context, { yaml }: { yaml?: boolean }, id: string): Promise<void> {
  const { variables } = (await read(context, id)).body
  context.show({ variables }, () => {
    if (yaml === true) return stringify({ variables: variables.map(given) })
    return variables.length === 0 ? 'It has no variables.\n' : table(context.terminal, columnsFor(variables), variables)
  })
}

interface SetOptions extends Setting {
  readonly file?: string
}

async function set(context: Context, options: SetOptions, id: string, assignments: readonly string[]): Promise<void> {
  if ((options.file === undefined) === (assignments.length === 0)) {
    throw usage('Give either assignments such as GREETING=hello, or --file.', 'remuda project variables set --help')
  }
  if (options.file !== undefined) return put(context, id, await readDocument(options.file), null)
  const news = await newVariables(options, assignments)
  const { body, etag } = await read(context, id)
  const kept = body.variables.map(given).filter((one) => !news.some((other) => sameVariable(one, other)))
  await put(context, id, typed([...kept, ...news]), etag)
}

async function unset(context: Context, _options: object, id: string, names: readonly string[]): Promise<void> {
  const { body, etag } = await read(context, id)
  const { variables } = body
  const missing = names.filter((name) => variables.every((one) => one.name !== name))
  if (missing.length > 0)
    throw usage(`${id} has no variable ${missing.join(', ')}.`, `remuda project variables get ${id}`)
  await put(context, id, typed(variables.filter(({ name }) => !names.includes(name)).map(given)), etag)
}

async function destroy(context: Context, _options: object, id: string, name: string): Promise<void> {
  const reply = await context.client.send('POST', path`projects/${id}/variables/${name}/destroy`, {})
  context.done(reply, `No value of ${name} can be read any more. Tasks that need one fail until it is set again.`)
}

const read = ({ client }: Context, id: string) =>
  client.read<Pick<ProjectRow, 'variables'>>(path`projects/${id}/variables`)

/** @param ifMatch what the change was made from, so that it takes back nobody else's; null puts all anew */
async function put(context: Context, id: string, source: Source, ifMatch: string | null): Promise<void> {
  const body = checked(source, PutVariablesBody)
  const reply = await context.client.send('PUT', path`projects/${id}/variables`, body, ifMatch)
  context.done(reply, `The variables of ${id} are changed. Releases made from now on have them.`)
}

/** A variable as it can be sent: a sensitive one keeps its value by coming without one. */
export function given(row: VariableRow): GivenVariable {
  const { secret: _, destroyed: __, value, ...variable } = row
  return value === null ? variable : { ...variable, value }
}

const typed = (variables: readonly GivenVariable[]): Source => ({ value: { variables }, at: () => 'in what you set' })

const everywhere = (words: readonly string[] = []) => (words.length === 0 ? 'all' : listed(words))

const shownValue = ({ value, destroyed }: VariableRow) => {
  if (value !== null) return value
  return destroyed === true
    ? { text: 'destroyed', style: 'red' as const }
    : { text: 'sensitive', style: 'dim' as const }
}

const columns: readonly Column<VariableRow>[] = [
  { title: 'name', cell: ({ name }) => name },
  { title: 'value', cell: shownValue, flexible: true },
  { title: 'environments', cell: ({ environments }) => everywhere(environments), flexible: true },
  { title: 'roles', cell: ({ roles }) => everywhere(roles), flexible: true },
]

/** Few variables are for single machines or steps, and a terminal is not wide. */
const columnsFor = (variables: readonly VariableRow[]): readonly Column<VariableRow>[] => [
  ...columns,
  ...(['machines', 'steps'] as const)
    .filter((title) => variables.some((one) => (one[title] ?? []).length > 0))
    .map((title) => ({ title, cell: (one: VariableRow) => everywhere(one[title]), flexible: true })),
]
