import type { GivenVariable } from '#contracts/api.ts'
import { readText } from '../document.ts'
import { usage } from '../exit.ts'

export interface Setting {
  readonly environment?: readonly string[]
  readonly role?: readonly string[]
  readonly machine?: readonly string[]
  readonly step?: readonly string[]
  readonly asFile?: boolean
  readonly sensitive?: boolean
  readonly fromStdin?: boolean
  readonly fromFile?: string
}

const command = 'remuda project variables set'

/** The variables that are set. A value from a file or standard input never stands where others see command lines. */
export async function newVariables(setting: Setting, words: readonly string[]): Promise<readonly GivenVariable[]> {
  const { environment = [], role = [], machine = [], step = [], asFile, sensitive, fromStdin, fromFile } = setting
  const scope = {
    environments: [...environment],
    roles: [...role],
    ...(machine.length === 0 ? {} : { machines: [...machine] }),
    ...(step.length === 0 ? {} : { steps: [...step] }),
    ...(asFile === true ? ({ as: 'file' } as const) : {}),
    ...(sensitive === true ? { sensitive } : {}),
  }
  const isRead = fromStdin === true || fromFile !== undefined
  if (!isRead && sensitive !== true) return words.map((word) => ({ ...assigned(word), ...scope }))
  const [name, ...others] = words
  if (name === undefined || others.length > 0 || name.includes('='))
    throw usage(
      'A sensitive value never stands on the command line, where others can see it: give one NAME alone.',
      `${command} shop DB_PASSWORD --sensitive --from-stdin`,
    )
  if (!isRead || (fromStdin === true && fromFile !== undefined))
    throw usage('Say where the value comes from: --from-stdin or --from-file.', `${command} --help`)
  return [{ name, value: await valueFrom(fromFile), ...scope }]
}

/** Programs that print a value, and editors, end it with a line break that does not belong to it. */
async function valueFrom(file: string | undefined): Promise<string> {
  return (await readText(file ?? '-')).replace(/\r?\n$/, '')
}

function assigned(assignment: string): { readonly name: string; readonly value: string } {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(assignment) ?? []
  if (name === undefined || value === undefined) throw usage(`"${assignment}" is not NAME=value.`)
  return { name, value }
}

type Scoped = Pick<GivenVariable, 'name' | 'environments' | 'roles' | 'machines' | 'steps'>

/** Whether the one takes the place of the other. */
export const sameVariable = (a: Scoped, b: Scoped): boolean =>
  a.name === b.name &&
  sameSet(a.environments, b.environments) &&
  sameSet(a.roles, b.roles) &&
  sameSet(a.machines, b.machines) &&
  sameSet(a.steps, b.steps)

const sameSet = (a: readonly string[] = [], b: readonly string[] = []) =>
  new Set(a).symmetricDifference(new Set(b)).size === 0
