import type { Command } from 'commander'
import type { BacktestReply, WhatIfReply } from '#contracts/backtest.ts'
import { PolicySettings } from '#contracts/policySettings.ts'
import { path } from '../client.ts'
import { action, type Context, type Io } from '../context.ts'
import { checked, readDocument } from '../document.ts'
import { usage } from '../exit.ts'
import { findMachines } from '../resolve.ts'
import { momentMs } from '../time.ts'
import { durationMs, many } from '../values.ts'
import { backtested, foreseen } from './foresightText.ts'

/** What a policy would have done, and what would happen if machines went silent now. Neither changes anything. */
export function addForesight(env: Command, io: Io): void {
  env
    .command('backtest <environment>')
    .description('what a policy would have removed and held back, on what was recorded')
    .option('--policy <file>', 'the proposed policy, YAML or JSON; the one that holds unless given')
    .option('--from <when>', 'from then on: a time, or how long ago, such as 7d', '7d')
    .option('--to <when>', 'until then', 'now')
    .action(action(io, backtest))
  env
    .command('what-if <environment>')
    .description('what would follow if machines went silent now')
    .option('--zone <zone>', 'all machines of this zone')
    .option('--attribute <name=value>', 'all machines that say this of themselves')
    .option('--machine <machine>', 'these, by name or id', many)
    .option('--share <percent>', 'so many percent of all machines', Number)
    .option('--horizon <duration>', 'how far to look ahead', durationMs)
    .addHelpText('after', help)
    .action(action(io, whatIf))
}

interface BacktestOptions {
  readonly policy?: string
  readonly from: string
  readonly to: string
}

async function backtest(context: Context, { policy: file, from, to }: BacktestOptions, id: string): Promise<void> {
  const { client, clock } = context
  const policy = file === undefined ? {} : { policy: checked(await readDocument(file), PolicySettings) }
  const [fromMs, toMs] = [momentMs(clock, from), momentMs(clock, to)]
  const body = { ...policy, fromAt: fromMs, toAt: toMs }
  const reply = await client.send<BacktestReply>('POST', path`environments/${id}/policy/backtest`, body)
  context.show(reply.body, (said) => backtested(context, said))
}

interface WhatIfOptions {
  readonly zone?: string
  readonly attribute?: string
  readonly machine?: readonly string[]
  readonly share?: number
  readonly horizon?: number
}

async function whatIf(context: Context, options: WhatIfOptions, id: string): Promise<void> {
  const { client } = context
  const { horizon: horizonMs } = options
  const fallen = await fallenOf(context, options, id)
  const body = { silent: fallen, ...(horizonMs === undefined ? {} : { horizonMs }) }
  const reply = await client.send<WhatIfReply>('POST', path`environments/${id}/policy/what-if`, body)
  context.show(reply.body, (said) => foreseen(context, said))
}

/** @throws CliError unless exactly one way of naming machines is used */
async function fallenOf({ client }: Context, options: WhatIfOptions, environment: string): Promise<object> {
  const { zone, attribute, machine, share: percent } = options
  const ways = [zone, attribute, machine, percent].filter((way) => way !== undefined)
  if (ways.length !== 1) throw usage('Say who goes silent: one of --zone, --attribute, --machine, --share.', helpHint)
  if (machine !== undefined) {
    const found = await findMachines(client, machine, { environment })
    return { machines: found.map(({ id }) => id) }
  }
  if (percent !== undefined) return { share: percent / 100 }
  if (zone !== undefined) return { domain: { value: zone } }
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(attribute ?? '') ?? []
  if (name === undefined) throw usage(`"${attribute}" is not <name>=<value>.`, helpHint)
  return { domain: { attribute: name, value } }
}

const helpHint = 'remuda env what-if --help'

const help = `
Examples:
  remuda env what-if production --zone eu-1a
  remuda env backtest production --policy stricter.yaml --from 30d`
