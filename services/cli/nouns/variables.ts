import type { Command } from 'commander'
import { stringify } from 'yaml'
import { PutVariablesBody } from '#contracts/api.ts'
import type { Variable } from '#contracts/process.ts'
import type { ProjectRow } from '#contracts/rows.ts'
import { path } from '../client.ts'
import { action, type Context, type Io } from '../context.ts'
import { checked, readDocument, type Source } from '../document.ts'
import { usage } from '../exit.ts'
import { listed } from '../format.ts'
import { many } from '../values.ts'
import { table, type Column } from '../table.ts'

export function addVariables(project: Command, io: Io): void {
  const variables = project.command('variables').description('values for scripts, given as environment variables')
  variables
    .command('get <project>')
    .description('every variable and where it holds')
    .option('--yaml', 'as YAML that `set --file` takes')
    .action(action(io, get))
  variables
    .command('set <project> [assignments...]')
    .description('set some (NAME=value), or all of them with --file')
    .option('--environment <id>', 'only in these environments', many)
    .option('--role <role>', 'only on machines with one of these roles', many)
    .option('--file <file>', 'all variables, YAML or JSON with `variables:`, - for standard input')
    .action(action(io, set))
  variables
    .command('unset <project> <names...>')
    .description('take variables away, wherever they hold')
    .action(action(io, unset))
}

async function get(context: Context, { yaml }: { yaml?: boolean }, id: string): Promise<void> {
  const { variables } = (await read(context, id)).body
  context.show({ variables }, (body) => {
    if (yaml === true) return stringify(body)
    return variables.length === 0 ? 'It has no variables.\n' : table(context.terminal, columns, variables)
  })
}

interface Setting {
  readonly environment?: readonly string[]
  readonly role?: readonly string[]
  readonly file?: string
}

async function set(context: Context, options: Setting, id: string, assignments: readonly string[]): Promise<void> {
  if ((options.file === undefined) === (assignments.length === 0)) {
    throw usage('Give either assignments such as GREETING=hello, or --file.', 'remuda project variables set --help')
  }
  if (options.file !== undefined) return put(context, id, await readDocument(options.file), null)
  const scope = { environments: [...(options.environment ?? [])], roles: [...(options.role ?? [])] }
  const news = assignments.map((assignment) => ({ ...assigned(assignment), ...scope }))
  const replaced = (one: Variable) => news.some((other) => other.name === one.name && sameScope(one, other))
  const { body, etag } = await read(context, id)
  await put(context, id, typed([...body.variables.filter((one) => !replaced(one)), ...news]), etag)
}

async function unset(context: Context, _options: object, id: string, names: readonly string[]): Promise<void> {
  const { body, etag } = await read(context, id)
  const { variables } = body
  const missing = names.filter((name) => variables.every((one) => one.name !== name))
  if (missing.length > 0)
    throw usage(`${id} has no variable ${missing.join(', ')}.`, `remuda project variables get ${id}`)
  await put(context, id, typed(variables.filter(({ name }) => !names.includes(name))), etag)
}

const read = ({ client }: Context, id: string) =>
  client.read<Pick<ProjectRow, 'variables'>>(path`projects/${id}/variables`)

/** @param ifMatch what the change was made from, so that it takes back nobody else's; null puts all anew */
async function put(context: Context, id: string, source: Source, ifMatch: string | null): Promise<void> {
  const body = checked(source, PutVariablesBody)
  const reply = await context.client.send('PUT', path`projects/${id}/variables`, body, ifMatch)
  context.done(reply, `The variables of ${id} are changed. Releases made from now on have them.`)
}

const typed = (variables: readonly Variable[]): Source => ({ value: { variables }, at: () => 'in what you set' })

function assigned(assignment: string): { readonly name: string; readonly value: string } {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(assignment) ?? []
  if (name === undefined || value === undefined) throw usage(`"${assignment}" is not NAME=value.`)
  return { name, value }
}

const sameScope = (a: Pick<Variable, 'environments' | 'roles'>, b: Pick<Variable, 'environments' | 'roles'>): boolean =>
  sameSet(a.environments, b.environments) && sameSet(a.roles, b.roles)

const sameSet = (a: readonly string[], b: readonly string[]) => new Set(a).symmetricDifference(new Set(b)).size === 0

const everywhere = (words: readonly string[]) => (words.length === 0 ? 'all' : listed(words))

const columns: readonly Column<Variable>[] = [
  { title: 'name', cell: ({ name }) => name },
  { title: 'value', cell: ({ value }) => value, flexible: true },
  { title: 'environments', cell: ({ environments }) => everywhere(environments), flexible: true },
  { title: 'roles', cell: ({ roles }) => everywhere(roles), flexible: true },
]
