import type { Command } from 'commander'
import type { DeploymentRow } from '#contracts/rows.ts'
import { path } from '../client.ts'
import { action, type Context, type Io } from '../context.ts'
import { findMachine } from '../resolve.ts'

interface Why {
  readonly reason?: string
}

/** What persons say of single machines of a deployment that runs. */
export function addExclusion(deploy: Command, io: Io): void {
  addVerb(
    deploy,
    io,
    'exclude',
    'keep a machine out of it, whatever is evaluated later',
    'excluded on the command line',
  )
  addVerb(deploy, io, 'include', 'take a machine in again that is out of it', 'included on the command line')
}

function addVerb(deploy: Command, io: Io, verb: 'exclude' | 'include', purpose: string, unsaid: string): void {
  const say = async (context: Context, { reason = unsaid }: Why, id: string, machine: string) => {
    const { client } = context
    const { environmentId } = await client.get<DeploymentRow>(path`deployments/${id}`)
    const found = await findMachine(client, machine, { environment: environmentId, removed: 'last' })
    const reply = await client.send('POST', `${path`deployments/${id}`}/${verb}`, { machineId: found.id, reason })
    context.done(reply, `Deployment ${id}: ${verb} ${found.name}.`)
  }
  deploy
    .command(`${verb} <deployment> <machine>`)
    .description(purpose)
    .option('--reason <text>', 'why, for those who ask later')
    .action(action(io, say))
}
