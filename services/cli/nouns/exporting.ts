import type { Command } from 'commander'
import type { ProjectRow } from '#contracts/rows.ts'
import { writtenOf } from '#contracts/writtenProcess.ts'
import { path } from '../client.ts'
import { action, type Context, type Io } from '../context.ts'
import { withSpokenDurations } from '../spoken.ts'
import { yamlOf } from '../yamlText.ts'
import { fileOf, templateAt } from './templateSaving.ts'
import { given } from './variables.ts'

export function addExport(project: Command, io: Io): void {
  project
    .command('export <project>')
    .description('a project as the file that `apply` takes, with the templates that it uses and without secrets')
    .addHelpText('after', '\nExample:\n  remuda project export shop > shop.yaml')
    .action(action(io, exportProject))
}

/** The templates are named with their versions, so that the file makes the same project of another server, too. */
async function exportProject(context: Context, _options: object, id: string): Promise<void> {
  const row = await context.client.get<ProjectRow>(path`projects/${id}`)
  const templates = await templatesOf(context, row)
  const file = {
    ...{ project: row.id, name: row.name },
    ...(templates.length > 0 && { templates }),
    process: withSpokenDurations(writtenOf(row.process)),
    variables: row.variables.map(given),
  }
  context.show(file, yamlOf)
}

async function templatesOf(context: Context, { process }: ProjectRow): Promise<readonly object[]> {
  const used = new Map(process.steps.flatMap(({ template }) => (template ? [[keyOf(template), template]] : [])))
  const sorted = [...used.values()].toSorted((a, b) => a.name.localeCompare(b.name) || a.version - b.version)
  const templates: object[] = []
  for (const { name, version } of sorted) {
    const row = await templateAt(context, name, version)
    if (row !== null) templates.push(fileOf(row))
  }
  return templates
}

const keyOf = ({ name, version }: { readonly name: string; readonly version: number }) => `${name}@${version}`
