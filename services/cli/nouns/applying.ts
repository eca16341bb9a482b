import { Option, type Command } from 'commander'
import type { ProjectRow } from '#contracts/rows.ts'
import { writtenOf } from '#contracts/writtenProcess.ts'
import { path } from '../client.ts'
import { action, type Context, type Io } from '../context.ts'
import { usage } from '../exit.ts'
import { ApiProblem } from '../failure.ts'
import { placed } from '../placed.ts'
import { readKept, type Kept, type ProjectFile, type Read } from '../projectFile.ts'
import { newestTemplate, saveTemplate, templateChanges } from './templateSaving.ts'

export function addApply(project: Command, io: Io): void {
  project
    .command('apply')
    .description('make a project what a file says: its name, its steps, its variables, the templates it brings')
    .addOption(
      new Option(
        '-f, --file <path>',
        'YAML or JSON, a folder with templates beside it, - for standard input',
      ).makeOptionMandatory(),
    )
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
  const kept = await readKept(file)
  const wanted = onlyProject(file, kept)
  const { project } = wanted.value
  const news = await templateChanges(context, kept.templates)
  for (const template of dryRun ? [] : news) await saveTemplate(context, template)
  const now = await present(context, project)
  const isOutdated = await outdated(context, now, dryRun ? news.map(({ value }) => value.template) : [])
  const changes = changesTo(now, wanted.value, isOutdated)
  for (const change of dryRun ? [] : changes) await make(context, wanted, change)
  const said = [...news.map(({ value }) => `template ${value.template}`), ...changes.map(({ what }) => what)]
  const whole =
    said.length === 0 ? 'is as the file says already' : `${dryRun ? 'would get' : 'has got'} ${said.join(', ')}`
  context.show({ project, changed: said, dryRun }, () => `Project ${project} ${whole}.\n`)
}

function onlyProject(path: string, { projects }: Kept): Read<ProjectFile> {
  const [project, other] = projects
  if (project === undefined)
    throw usage(`There is no project in ${path}, only templates.`, `remuda template apply -f ${path}`)
  if (other === undefined) return project
  const places = projects.map(({ source }) => source.at(['project'])).join(', ')
  throw usage(`There is more than one project in ${path}: ${places}.`, 'apply each by its own file')
}

async function present({ client }: Context, id: string): Promise<ProjectRow | null> {
  return client.get<ProjectRow>(path`projects/${id}`).catch((error: unknown) => {
    if (error instanceof ApiProblem && error.code === 'PROJECT_UNKNOWN') return null
    throw error
  })
}

/**
 * Whether a step follows the latest version of its template, and there is a newer one now.
 * @param coming the templates of which there would be a newer one
 */
async function outdated(context: Context, now: ProjectRow | null, coming: readonly string[]): Promise<boolean> {
  for (const { template } of now?.process.steps ?? []) {
    if (template?.latest !== true) continue
    if (coming.includes(template.name)) return true
    const newest = await newestTemplate(context, template.name)
    if (newest !== null && newest.version !== template.version) return true
  }
  return false
}

function changesTo(now: ProjectRow | null, wanted: ProjectFile, isOutdated: boolean): readonly Change[] {
  const { project: id, name, process, variables } = wanted
  const at = path`projects/${id}`
  const changes: Change[] = []
  if (now === null)
    changes.push({ what: 'made', method: 'POST', address: 'projects', body: { id, ...(name && { name }) }, under: [] })
  else if (name !== undefined && name !== now.name)
    changes.push({ what: 'another name', method: 'PUT', address: at, body: { name }, under: [] })
  const put = (what: string, address: string, body: object, under: readonly string[]) =>
    changes.push({ what, method: 'PUT', address: `${at}/${address}`, body, under })
  if (process !== undefined && (isOutdated || !same(process, now && writtenOf(now.process))))
    put('other steps', 'process', process, ['process'])
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
const same = (wanted: object, now: object | null): boolean => JSON.stringify(wanted) === JSON.stringify(now)

async function make({ client }: Context, wanted: Read<ProjectFile>, { method, address, body, under }: Change) {
  await client.send(method, address, body).catch((error: unknown) => {
    throw error instanceof ApiProblem ? placed(wanted.source, error, under) : error
  })
}

const help = `
The file:
  project: shop
  name: The shop
  templates:
    - template: shop.greet
      parameters: { whom: { type: text, required: true } }
      step: { kind: script, environment: { WHOM: ((whom)) }, script: echo "hello $WHOM" }
  process:
    steps:
      - { id: install, kind: script, roles: [web], window: 25%, script: ./install.sh }
      - { id: greet, kind: template, template: shop.greet, with: { whom: world } }
  variables:
    - { name: REGION, value: north, environments: [production] }

Examples:
  remuda project apply -f deploy/shop.yaml --dry-run
  remuda project export shop`
