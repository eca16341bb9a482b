import { Option, type Command } from 'commander'
import { z } from 'zod'
import { displayName, projectId } from '#contracts/ids.ts'
import { PutVariablesBody } from '#contracts/api.ts'
import { Process } from '#contracts/process.ts'
import type { ProjectRow } from '#contracts/rows.ts'
import { path } from '../client.ts'
import { action, type Context, type Io } from '../context.ts'
import { checked, readDocument, type Source } from '../document.ts'
import { ApiProblem } from '../failure.ts'
import { placed } from '../placed.ts'

/** A project as it is kept in a repository: what is left out is left as it is. */
const ProjectFile = z.strictObject({
  project: projectId,
  name: displayName.optional(),
  process: Process.optional(),
  variables: PutVariablesBody.shape.variables.optional(),
})
type ProjectFile = z.infer<typeof ProjectFile>

export function addApply(project: Command, io: Io): void {
  project
    .command('apply')
    .description('make a project what a file says: its name, its steps, its variables')
    .addOption(new Option('-f, --file <file>', 'YAML or JSON, - for standard input').makeOptionMandatory())
    .option('--dry-run', 'only say what would change')
    .addHelpText('after', help)
    .action(action(io, apply))
}

interface Change {
  readonly what: string
  readonly method: 'POST' | 'PUT'
  readonly address: string
  readonly body: object
  /** Where the body stands in the file. */
  readonly under: readonly string[]
}

/** Every part is compared first, so that applying a file twice changes nothing the second time. */
async function apply(context: Context, { file, dryRun = false }: { file: string; dryRun?: boolean }): Promise<void> {
  const source = await readDocument(file)
  const wanted = ProjectFile.parse(checked(source, ProjectFile))
  const changes = changesTo(await present(context, wanted.project), wanted)
  for (const change of dryRun ? [] : changes) await make(context, source, change)
  const said = changes.map(({ what }) => what)
  const body = { project: wanted.project, changed: said, dryRun }
  const whole =
    said.length === 0 ? 'is as the file says already' : `${dryRun ? 'would get' : 'has got'} ${said.join(', ')}`
  context.show(body, () => `Project ${wanted.project} ${whole}.\n`)
}

async function present({ client }: Context, id: string): Promise<ProjectRow | null> {
  return client.get<ProjectRow>(path`projects/${id}`).catch((error: unknown) => {
    if (error instanceof ApiProblem && error.code === 'PROJECT_UNKNOWN') return null
    throw error
  })
}

function changesTo(now: ProjectRow | null, { project: id, name, process, variables }: ProjectFile): readonly Change[] {
  const at = path`projects/${id}`
  const changes: Change[] = []
  if (now === null)
    changes.push({ what: 'made', method: 'POST', address: 'projects', body: { id, ...(name && { name }) }, under: [] })
  else if (name !== undefined && name !== now.name)
    changes.push({ what: 'another name', method: 'PUT', address: at, body: { name }, under: [] })
  const put = (what: string, address: string, body: object, under: readonly string[]) =>
    changes.push({ what, method: 'PUT', address: `${at}/${address}`, body, under })
  if (process !== undefined && !same(process, now?.process)) put('other steps', 'process', process, ['process'])
  if (variables !== undefined && !sameVariables(variables, now?.variables))
    put('other variables', 'variables', { variables }, [])
  return changes
}

/** A sensitive value is shown to nobody, so one that the file gives is always set anew, and one that it leaves out stays. */
function sameVariables(wanted: NonNullable<ProjectFile['variables']>, now: ProjectRow['variables'] = []): boolean {
  if (wanted.some(({ sensitive, value }) => sensitive === true && typeof value === 'string')) return false
  const told = ({ name, value, sensitive, as, ...scope }: (typeof wanted)[number] | (typeof now)[number]) => [
    ...[name, sensitive === true ? null : value, sensitive === true, as ?? 'variable'],
    ...[scope.environments, scope.roles, scope.machines ?? [], scope.steps ?? []],
  ]
  return JSON.stringify(wanted.map(told)) === JSON.stringify(now.map(told))
}

/** What the server kept has been through the same schema, so equal things are written alike. */
const same = (wanted: object, now: object | undefined): boolean => JSON.stringify(wanted) === JSON.stringify(now)

async function make({ client }: Context, source: Source, { method, address, body, under }: Change): Promise<void> {
  await client.send(method, address, body).catch((error: unknown) => {
    throw error instanceof ApiProblem ? placed(source, error, under) : error
  })
}

const help = `
The file:
  project: shop
  name: The shop
  process:
    steps:
      - { id: install, kind: script, roles: [web], window: 25%, script: ./install.sh }
  variables:
    - { name: REGION, value: north, environments: [production] }

Example:
  remuda project apply -f deploy/shop.yaml --dry-run`
