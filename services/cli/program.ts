import { readFileSync } from 'node:fs'
import { Command, type Argument } from 'commander'
import { addGlobalOptions, type Io } from './context.ts'
import { usage } from './exit.ts'
import { exitCodesHelp } from './exitCodes.ts'
import { addDeployments } from './nouns/deployments.ts'
import { addEnrollments } from './nouns/enrollments.ts'
import { addEnvironments } from './nouns/environments.ts'
import { addEvents } from './nouns/events.ts'
import { addIncidents } from './nouns/incidents.ts'
import { addMachines } from './nouns/machines.ts'
import { addParked } from './nouns/parked.ts'
import { addPackages } from './nouns/packages.ts'
import { addOverview } from './nouns/overview.ts'
import { addProjects } from './nouns/projects.ts'
import { addProviders } from './nouns/providers.ts'
import { addReleases } from './nouns/releases.ts'
import { addStores } from './nouns/store.ts'
import { addTemplates } from './nouns/templates.ts'
import { addTokens } from './nouns/tokens.ts'
import { addVault } from './nouns/vault.ts'
import { addWebhooks } from './nouns/webhooks.ts'

/** Everything that `remuda` can be told, with its help. Commander only parses: mistakes are thrown, never exited on. */
export function createProgram(io: Io): Command {
  const program = addGlobalOptions(new Command('remuda'))
    .description('Control plane for elastic fleets.')
    .usage('<noun> <verb> [options]')
    .version(version(), '--version', 'the version of this command')
    .helpCommand(false)
    .addHelpText('after', epilogue)
  program.commandsGroup('Run:')
  addPrograms(program)
  program.commandsGroup('Look and act:')
  for (const add of nouns) add(program, io)
  program.commandsGroup('Help:')
  addHelp(program, io)
  return quiet(program, io)
}

const nouns = [
  addOverview,
  addEnvironments,
  addMachines,
  addIncidents,
  addProviders,
  addEnrollments,
  addProjects,
  addTemplates,
  addPackages,
  addReleases,
  addDeployments,
  addEvents,
  addParked,
  addTokens,
  addWebhooks,
  addStores,
  addVault,
]

/** Only so that help and mistakes know of them: their own words are never read here. */
function addPrograms(program: Command): void {
  const programs = [
    ['serve', 'start a server (all services in one process unless told otherwise)'],
    ['agent', 'start the agent on a machine'],
    ['demo', 'start a server, a small fleet and something to look at'],
    ['fleet', 'start simulated machines, as many as are wanted, to see how a server bears them'],
  ] as const
  for (const [word, purpose] of programs) {
    const command = program.command(word).description(purpose).usage('[options]').helpOption(false)
    command.allowUnknownOption().allowExcessArguments()
    command.action(() => {
      throw usage(`\`${word}\` must come first.`, `remuda ${word} --help`)
    })
  }
}

function addHelp(program: Command, io: Io): void {
  program
    .command('help [topic...]')
    .description('help on a command, or on: exit-codes')
    .usage('[command...]')
    .action((topic: readonly string[]) => {
      if (topic.join(' ') === 'exit-codes') return void io.stdout.write(`${exitCodesHelp}\n`)
      commandNamed(program, topic).outputHelp()
    })
}

function commandNamed(program: Command, words: readonly string[]): Command {
  let command = program
  for (const word of words) {
    const next = command.commands.find((one) => one.name() === word || one.aliases().includes(word))
    if (next === undefined) throw usage(`There is no help on ${words.join(' ')}.`, 'remuda help')
    command = next
  }
  return command
}

/** Commander's own words go where ours go, and its exits become errors, for every command below as well. */
function quiet(command: Command, io: Io): Command {
  const { stdout, stderr } = io
  command
    .exitOverride()
    .helpOption('-h, --help', 'this help')
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      // Mistakes are said once, in our shape, by whoever catches them.
      outputError: () => {},
      getOutHelpWidth: () => stdout.columns ?? helpColumns,
      getErrHelpWidth: () => stderr.columns ?? helpColumns,
    })
    .configureHelp({
      showGlobalOptions: command.commands.length === 0,
      subcommandTerm: (inner) => [inner.name(), ...inner.registeredArguments.map(argumentTerm)].join(' '),
      styleCommandDescription: (text) =>
        text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? '' : '.'),
    })
  for (const inner of command.commands) {
    if (inner.commands.length > 0) inner.helpCommand(false).usage('<verb> [options]')
    quiet(inner, io)
  }
  return command
}

const helpColumns = 100

const argumentTerm = (argument: Argument): string => {
  const name = argument.name() + (argument.variadic ? '...' : '')
  return argument.required ? `<${name}>` : `[${name}]`
}

const version = (): string =>
  (JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }).version

const epilogue = `
Help on a noun or a verb: remuda machine --help, remuda machine list --help. All commands take the options above.

Examples:
  remuda demo                                            a server, a fleet and a deployment, to look at
  remuda serve                                           a server on this machine
  remuda enroll create --environment production          how machines join
  remuda deploy create shop 1.5.0 production --wait      roll out, and end with a code that says how it went
  remuda machine explain web-07                          why, and why not
  remuda help exit-codes`
