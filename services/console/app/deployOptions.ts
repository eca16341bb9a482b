import type { DeploymentOptions } from '#contracts/deploymentOptions.ts'

/** As the contract has them, whose module would bring its whole validator into the browser. */
export const priorityDefault = 5
export const priorityMax = 9

/** What a person has chosen for a deployment beyond what goes where. */
export interface ChosenOptions {
  /** Ids of machines; null for all that the release is for. */
  machines: readonly string[] | null
  priority: number
  /** As a field for local time has it; empty for at once. */
  startAt: string
  ignoresFreeze: boolean
  freezeReason: string
  allowNoTargets: boolean
}

export const nothingChosen: ChosenOptions = {
  ...{ machines: null, priority: priorityDefault, startAt: '' },
  ...{ ignoresFreeze: false, freezeReason: '', allowNoTargets: false },
}

/** What is wrong with it, in a sentence; null when it can be asked for. */
export function mistakeOf(chosen: ChosenOptions): string | null {
  if (chosen.machines?.length === 0) return 'Choose at least one machine, or all of them.'
  if (chosen.startAt !== '' && Number.isNaN(Date.parse(chosen.startAt))) return 'The start is no time.'
  if (chosen.ignoresFreeze && chosen.freezeReason.trim() === '') return 'Say why the freeze may be ignored: it is kept.'
  return null
}

/** As the API takes it: what is not said is not sent. */
export function bodyOf(chosen: ChosenOptions): DeploymentOptions & { readonly machines?: readonly string[] } {
  const { machines, priority, startAt, ignoresFreeze, freezeReason, allowNoTargets } = chosen
  return {
    ...(machines !== null && { machines }),
    ...(priority !== priorityDefault && { priority }),
    ...(startAt !== '' && { startAt: new Date(startAt).toISOString() }),
    ...(ignoresFreeze && { ignoreFreeze: { reason: freezeReason.trim() } }),
    ...(allowNoTargets && { allowNoTargets }),
  }
}
