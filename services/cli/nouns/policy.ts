import type { Command } from 'commander'
import { parse as parseYaml, stringify } from 'yaml'
import { PolicySettings } from '#contracts/policySettings.ts'
import { path } from '../client.ts'
import { action, type Context, type Io } from '../context.ts'
import { checked, readDocument, type Source } from '../document.ts'
import { usage } from '../exit.ts'
import { withSpokenDurations } from '../spoken.ts'

type Settings = Readonly<Record<string, unknown>>

export function addPolicy(env: Command, io: Io): void {
  const policy = env.command('policy').description('what follows when machines stop answering or come online')
  policy
    .command('get <environment>')
    .description('the policy that holds, as YAML that `set` takes')
    .action(action(io, get))
  policy
    .command('set <environment> [settings...]')
    .description('change settings, or put a whole policy in place')
    .option('--file <file>', 'a whole policy, YAML or JSON, - for standard input; what is left out takes its default')
    .option('--force', 'also when somebody else changed the policy meanwhile')
    .action(action(io, set))
    .addHelpText('after', help)
}

async function get(context: Context, _options: object, id: string): Promise<void> {
  const policy = await context.client.get<Settings>(path`environments/${id}/policy`)
  context.show(policy, (settings) => stringify(withSpokenDurations(settings)))
}

async function set(context: Context, options: SetOptions, id: string, settings: readonly string[]): Promise<void> {
  const { client } = context
  if ((options.file === undefined) === (settings.length === 0)) {
    throw usage('Give either settings such as guard.share=0.25, or --file.', 'remuda env policy set --help')
  }
  const { body, etag } = await client.read<Settings>(path`environments/${id}/policy`)
  const source = options.file === undefined ? changed(body, settings) : await readDocument(options.file)
  const wanted = checked(source, PolicySettings)
  const ifMatch = options.force === true ? null : etag
  const reply = await client.send('PUT', path`environments/${id}/policy`, wanted, ifMatch)
  context.done(reply, `The policy of ${id} is changed.`)
}

interface SetOptions {
  readonly file?: string
  readonly force?: boolean
}

/** The policy with some settings changed: `dynamicRegistration.removeAfterMs=5m`. */
function changed(policy: Settings, assignments: readonly string[]): Source {
  const value = structuredClone(policy) as Record<string, unknown>
  for (const assignment of assignments) assign(value, assignment)
  return { value, at: () => 'in what you set' }
}

function assign(policy: Record<string, unknown>, assignment: string): void {
  const [, name, text] = /^([A-Za-z]+(?:\.[A-Za-z]+)+)=(.*)$/s.exec(assignment) ?? []
  if (name === undefined || text === undefined) {
    throw usage(
      `"${assignment}" is not <group>.<setting>=<value>.`,
      'remuda env policy get <environment> shows all names',
    )
  }
  const keys = name.split('.')
  const last = keys.pop() ?? ''
  let group = policy
  for (const key of keys) {
    const inner = Object.hasOwn(group, key) ? group[key] : undefined
    if (typeof inner !== 'object' || inner === null) {
      throw usage(`There is no setting ${name}.`, 'remuda env policy get <environment> shows all names')
    }
    group = inner as Record<string, unknown>
  }
  group[last] = parseYaml(text)
}

const help = `
Durations are written as 500ms, 30s, 5m, 2h, 7d. A change is refused when somebody changed the policy since it was read.

Examples:
  remuda env policy set production dynamicRegistration.removeAfterMs=5m
  remuda env policy get staging > policy.yaml
  remuda env policy set production --file policy.yaml`
