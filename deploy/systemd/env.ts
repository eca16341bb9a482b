import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describeConfig } from '#libs/config.ts'
import { AgentConfig } from '../../services/agent/config.ts'
import { ServerConfig } from '../../services/config.ts'

type Setting = ReturnType<typeof describeConfig>[number]

/** Set by the units, or different on every machine. */
const ofTheMachine: Readonly<Record<string, string>> = { REMUDA_NAME: 'the name of the machine' }
const ofTheUnit: readonly string[] = ['REMUDA_DATA']

/** All settings of the server as lines of a file of variables, each as it is when it is not set. */
export const serverEnvironment = (): string =>
  environment('The settings of the server, for /etc/remuda/remuda.env.', describeConfig(ServerConfig))

/** The same of the agent. */
export const agentEnvironment = (): string =>
  environment('The settings of the agent, for /etc/remuda/agent.env.', describeConfig(AgentConfig))

const environment = (title: string, settings: readonly Setting[]): string =>
  [
    `# ${title}\n# Written by deploy/systemd/env.ts. Take away the # before what is to be set.\n`,
    ...settings.filter(({ variable }) => !ofTheUnit.includes(variable)).map(lines),
  ].join('\n')

function lines({ variable, purpose, accepted, unset }: Setting): string {
  const usual = ofTheMachine[variable] === undefined ? '' : `; when not set: ${ofTheMachine[variable]}`
  const value = ofTheMachine[variable] === undefined ? written(unset) : ''
  return `# ${purpose}\n# takes ${accepted}${usual}\n#${variable}=${value}\n`
}

/** A value as a person would set it. */
function written(unset: string): string {
  if (unset === 'required' || unset === 'nothing') return ''
  const value = JSON.parse(unset) as unknown
  if (Array.isArray(value)) return value.join(',')
  return ['string', 'number', 'boolean'].includes(typeof value) ? `${value as string | number | boolean}` : ''
}

if (import.meta.main) {
  writeFileSync(join(import.meta.dirname, 'remuda.env'), serverEnvironment())
  writeFileSync(join(import.meta.dirname, 'agent.env'), agentEnvironment())
}
