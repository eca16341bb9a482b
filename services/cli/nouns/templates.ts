import { Option, type Command } from 'commander'
import type { TemplateRow } from '#contracts/template.ts'
import { path } from '../client.ts'
import { action, type Context, type Io } from '../context.ts'
import { usage } from '../exit.ts'
import { listed } from '../format.ts'
import { paged, watchable, type ListOptions, type WatchOptions } from '../options.ts'
import { readKept } from '../projectFile.ts'
import type { Column } from '../table.ts'
import { when } from '../time.ts'
import { whole } from '../values.ts'
import { viewList } from '../view.ts'
import { yamlOf } from '../yamlText.ts'
import { fileOf, saveTemplate, templateChanges } from './templateSaving.ts'

export function addTemplates(program: Command, io: Io): void {
  const template = program.command('template').description('step templates: steps with parameters, for many projects')
  watchable(paged(template.command('list').description('every template, as it is newest'))).action(
    action(io, (context, options: ListOptions & WatchOptions) =>
      viewList(context, options, { path: 'templates', columns: columns(context), none: 'There are no templates.' }),
    ),
  )
  template
    .command('get <template>')
    .description('a template, as YAML that `apply` takes')
    .addOption(new Option('--at <version>', 'a version of it, the newest unless told').argParser(whole(1, 100_000)))
    .action(action(io, get))
  template
    .command('apply')
    .description('save templates as files say, each as its next version where it says something new')
    .addOption(new Option('-f, --file <path>', 'YAML or JSON, a folder, - for standard input').makeOptionMandatory())
    .option('--dry-run', 'only say what would change')
    .action(action(io, apply))
  template
    .command('delete <template>')
    .description('take a template out of the library; steps that were made of it stay as they are')
    .requiredOption('--reason <text>', 'why, for those who ask later')
    .action(action(io, remove))
  template.addHelpText('after', help)
}

async function get(context: Context, { at }: { at?: number }, name: string): Promise<void> {
  const address = at === undefined ? path`templates/${name}` : path`templates/${name}/versions/${String(at)}`
  context.show(await context.client.get<TemplateRow>(address), (row) => yamlOf(fileOf(row)))
}

async function apply(context: Context, { file, dryRun = false }: { file: string; dryRun?: boolean }): Promise<void> {
  const { projects, templates } = await readKept(file)
  const [project] = projects
  if (project !== undefined)
    throw usage(`${project.source.at(['project'])}: this is a project.`, `remuda project apply -f ${file}`)
  const changes = await templateChanges(context, templates)
  const saved: string[] = []
  for (const change of changes)
    saved.push(dryRun ? change.value.template : `${change.value.template}@${await saveTemplate(context, change)}`)
  const sentence = dryRun ? `Would be saved: ${saved.join(', ')}.` : `Saved: ${saved.join(', ')}.`
  context.show({ saved, dryRun }, () => (saved.length === 0 ? 'All is as the files say already.\n' : `${sentence}\n`))
}

async function remove(context: Context, { reason }: { reason: string }, name: string): Promise<void> {
  const reply = await context.client.send('DELETE', `${path`templates/${name}`}?reason=${encodeURIComponent(reason)}`)
  context.done(reply, `Template ${name} has left the library. Steps that were made of it stay as they are.`)
}

const columns = ({ terminal, clock }: Context): readonly Column<TemplateRow>[] => [
  { title: 'template', cell: ({ name }) => name },
  { title: 'version', align: 'right', cell: ({ version }) => version },
  { title: 'kind', cell: ({ step }) => String(step['kind']) },
  { title: 'parameters', cell: ({ parameters }) => listed(Object.keys(parameters)), flexible: true },
  { title: 'what it does', cell: ({ description }) => description.split('\n', 1)[0] ?? '', flexible: true },
  { title: 'saved', cell: ({ savedAt }) => when(terminal, clock, savedAt) },
]

const help = `
The file:
  template: restart-unit
  description: Restarts a systemd unit.
  parameters:
    unit: { type: text, format: word, required: true, help: the unit to restart }
  step:
    kind: script
    environment: { UNIT: ((unit)) }
    script: systemctl restart "$UNIT"

A step of a process uses it:
  - { id: restart, kind: template, template: restart-unit, version: latest, with: { unit: shop.service } }

Example:
  remuda template apply -f deploy/templates`
