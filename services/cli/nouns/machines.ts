import { Option, type Command } from 'commander'
import { MachinesQuery } from '#contracts/api.ts'
import type { MachineDetail } from '#contracts/fleetRows.ts'
import { path } from '../client.ts'
import { action, type Context, type Io } from '../context.ts'
import { asOfHelp, paged, watchable, type ListOptions, type WatchOptions } from '../options.ts'
import { many } from '../values.ts'
import { findMachine } from '../resolve.ts'
import { view, viewList } from '../view.ts'
import { addProbing, expecting, probeOf, type ProbeOptions } from './probing.ts'
import { machineColumns, machineDetails } from './machineText.ts'
import { addMachineStory } from './machineStory.ts'

interface Filters {
  readonly environment?: string
  readonly role?: string
  readonly status?: string
  readonly search?: string
  readonly asOf?: string
}

export function addMachines(program: Command, io: Io): void {
  const machine = program.command('machine').description('machines: who is there, how well, and what they run')
  addReading(machine, io)
  addMachineStory(machine, io)
  addChanging(machine, io)
  addCheck(machine, io)
  addProbing(machine, io)
  addRegistering(machine, io)
  machine.addHelpText('after', help)
}

function addReading(machine: Command, io: Io): void {
  const list = machine
    .command('list')
    .description('registered machines')
    .option('--environment <id>', 'of this environment')
    .option('--role <role>', 'with this role')
    .addOption(new Option('--status <status>', 'who are so').choices(MachinesQuery.shape.status.unwrap().options))
    .option('--search <text>', 'whose name or id contains this')
    .option('--as-of <when>', asOfHelp)
  watchable(paged(list)).action(
    action(
      io,
      (context, { environment, role, status, search: q, asOf, ...options }: Filters & ListOptions & WatchOptions) =>
        viewList(context, options, {
          path: 'machines',
          query: { environment, role, status, q, asOf },
          columns: machineColumns(context),
          none: 'No machine is registered that this list asks for.',
        }),
    ),
  )
  const one = machine.command('get <machine>').description('one machine').option('--as-of <when>', asOfHelp)
  watchable(inEnvironment(one)).action(
    action(io, async (context, { asOf, ...options }: WatchOptions & Where & { asOf?: string }, given: string) => {
      const { id } = await findMachine(context.client, given, { ...options, removed: 'last' })
      const load = () => context.client.get<MachineDetail>(path`machines/${id}`, { asOf })
      await view(context, options, load, (row) => machineDetails(context, row))
    }),
  )
}

interface Where {
  readonly environment?: string
}

const inEnvironment = (command: Command): Command =>
  command.option('--environment <id>', 'where to look for the name, when it is used in several')

/** A change of one machine: its verb, what the API calls it, and what is said when it is done. */
interface Change {
  readonly verb: string
  readonly purpose: string
  readonly done: string
  readonly method?: 'DELETE'
  readonly removed?: 'first'
}

const changes: readonly Change[] = [
  { verb: 'enable', purpose: 'let it be a target again', done: 'is enabled' },
  { verb: 'disable', purpose: 'keep it registered, but no target of anything', done: 'is disabled' },
  {
    verb: 'release',
    purpose: 'let it work again, after you have seen to why its key was used by two',
    done: 'may work again',
  },
  { verb: 'remove', purpose: 'take it out of its environment', done: 'is removed', method: 'DELETE' },
  { verb: 'restore', purpose: 'bring back a removed machine', done: 'is restored', removed: 'first' },
]

const reasonless: readonly string[] = ['enable']

function addChanging(machine: Command, io: Io): void {
  for (const change of changes) {
    const command = inEnvironment(machine.command(`${change.verb} <machine>`).description(change.purpose))
    if (!reasonless.includes(change.verb)) command.option('--reason <text>', 'why, for those who ask later')
    command.action(
      action(io, async (context, { reason, environment }: Where & { reason?: string }, given: string) => {
        const where = { environment, ...(change.removed && { removed: change.removed }) }
        const { id, name } = await findMachine(context.client, given, where)
        const address = change.method === undefined ? path`machines/${id}/${change.verb}` : path`machines/${id}`
        const body = reasonless.includes(change.verb) ? undefined : reason === undefined ? {} : { reason }
        const reply = await context.client.send(change.method ?? 'POST', address, body)
        context.done(reply, `${name} ${change.done}.`)
      }),
    )
  }
}

function addCheck(machine: Command, io: Io): void {
  inEnvironment(machine.command('check <machine>').description('ask it for a sign of life now')).action(
    action(io, async (context, where: Where, given: string) => {
      const { id, name } = await findMachine(context.client, given, where)
      const reply = await context.client.send<Checked>('POST', path`machines/${id}/check`)
      const { answered, roundTripMs } = reply.body
      context.done(reply, answered ? `${name} answers, within ${roundTripMs ?? 0} ms.` : `${name} does not answer.`)
    }),
  )
}

interface Checked {
  readonly answered: boolean
  readonly roundTripMs: number | null
}

function addRegistering(machine: Command, io: Io): void {
  const add = machine
    .command('add <name>')
    .description('register a machine that has no agent; one with an agent registers itself (remuda enroll)')
    .requiredOption('--environment <id>', 'the environment it belongs to')
    .option('--role <role>', 'its roles', many)
    .option('--attribute <name=value>', 'what else is known of it, such as zone=b', many)
    .option('--id <id>', 'its id; made up unless given')
    .option('--probe <address>', 'how the server looks after it, such as tcp://10.0.0.7:5432')
  expecting(add).action(action(io, register))
  machine
    .command('change <machine>')
    .description('what people set: name, roles, environment')
    .option('--name <name>', 'its new name')
    .option('--role <role>', 'all of its roles from now on', many)
    .option('--to <environment>', 'the environment it moves to')
    .action(action(io, change))
}

interface Registering extends ProbeOptions {
  readonly environment: string
  readonly role?: readonly string[]
  readonly attribute?: readonly string[]
  readonly id?: string
  readonly probe?: string
}

async function register(context: Context, options: Registering, name: string): Promise<void> {
  const { environment: environmentId, role: roles = [], attribute = [], id, probe: address } = options
  const attributes = Object.fromEntries(attribute.map((one) => one.split(/=(.*)/s, 2)))
  const probe = address === undefined ? {} : { probe: probeOf(address, options) }
  const body = { name, environmentId, roles, attributes, ...(id === undefined ? {} : { id }), ...probe }
  context.done(await context.client.send('POST', 'machines', body), `${name} is registered in ${environmentId}.`)
}

interface Changing {
  readonly name?: string
  readonly role?: readonly string[]
  readonly to?: string
}

async function change(
  context: Context,
  { name, role: roles, to: environmentId }: Changing,
  given: string,
): Promise<void> {
  const machine = await findMachine(context.client, given)
  const reply = await context.client.send('PATCH', path`machines/${machine.id}`, { name, roles, environmentId })
  context.done(reply, `${machine.name} is changed.`)
}

const help = `
A machine is named by its id, or by its name where only one machine has it.

Examples:
  remuda machine list --environment production --status unavailable
  remuda machine explain web-07 --project shop
  remuda machine disable web-07 --reason "disk is being replaced"
  remuda machine restore web-07`
