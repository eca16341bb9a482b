import type { DeploymentRow } from '#contracts/rows.ts'
import type { Context } from '../context.ts'
import { CliError, exits } from '../exit.ts'

/** How many deployments are looked at before there is taken to be none to go back to. */
const lookedAtMax = 1_000

export interface WayBack {
  readonly from: string
  readonly to: string
}

/**
 * Where a project goes back to in an environment: from the release that was last brought there, whatever became of it,
 * to the one before it that went well. What was brought to some machines alone counts for neither, nor does what
 * machines are given by themselves, which follows from the others.
 */
export async function wayBack(
  client: Pick<Context['client'], 'rows'>,
  project: string,
  environment: string,
): Promise<WayBack> {
  let from: string | null = null
  let lookedAt = 0
  for await (const row of client.rows<DeploymentRow>('deployments', { project, environment })) {
    if ((lookedAt += 1) > lookedAtMax) break
    if (row.kind !== 'release' || row.partial || row.startedAt === null) continue
    from ??= row.version
    if (row.version !== from && row.state === 'succeeded') return { from, to: row.version }
  }
  const why = from === null ? 'nothing was deployed there' : `no release but ${from} went well there`
  throw new CliError(
    exits.notFound,
    'RELEASE_BEFORE_UNKNOWN',
    `${project} cannot go back in ${environment}: ${why}.`,
    `remuda deploy create ${project} <version> ${environment}`,
  )
}
