import { CliError, exits } from '../exit.ts'

/**
 * The one-time secret in what a request has made, whatever its field is called.
 * A repeat of the request answers without it, since only a hash of it is kept.
 */
export function secretOf(made: object): string {
  const secret = Object.values(made).find((value) => typeof value === 'string' && value.startsWith('rmd_'))
  if (typeof secret === 'string') return secret
  const what = 'The token is made, but its secret is shown only once and not to a repeat of the request.'
  throw new CliError(exits.fault, 'SECRET_GONE', what, 'revoke it and create another')
}
