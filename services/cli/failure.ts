import type { FieldError } from '#libs/problem.ts'
import { CliError, exits, type Exit } from './exit.ts'

/** The server said no, or failed: a problem document as the API answers it. */
export class ApiProblem extends CliError {
  readonly status: number
  readonly errors: readonly FieldError[]
  readonly requestId: string | null

  constructor(status: number, code: string, detail: string, errors: readonly FieldError[], requestId: string | null) {
    super(exitOf(status), code, detail, nextOf(code, requestId))
    this.status = status
    this.errors = errors
    this.requestId = requestId
  }
}

const exitsByStatus: Readonly<Record<number, Exit>> = {
  401: exits.credential,
  403: exits.credential,
  404: exits.notFound,
  502: exits.unreachable,
  503: exits.unreachable,
}

const exitOf = (status: number): Exit => exitsByStatus[status] ?? (status >= 500 ? exits.fault : exits.refused)

const setToken = 'set REMUDA_API_TOKEN, or run on the server beside its data folder, where admin-token lies'

/** What to do about a code. A refusal's own detail already says how to put this case right. */
const steps: Readonly<Record<string, string>> = {
  CREDENTIAL_MISSING: setToken,
  CREDENTIAL_INVALID: setToken,
  PERMISSION_DENIED: 'use a token with a wider scope: remuda token create <name> --scope write|admin',
  ROUTE_UNKNOWN: 'check that --server is a Remuda server of the same version as this command',
  TOO_MANY_REQUESTS: 'wait a moment and try again',
  POSITION_NOT_REACHED: 'try again; the change is stored and its reader is behind',
  SERVICE_UNAVAILABLE: 'try again in a moment: remuda status',
  IDEMPOTENCY_KEY_REUSED: 'give a new --idempotency-key, or repeat the first command',
  VERSION_CHANGED: 'read it again and repeat the change',
  BODY_TOO_LARGE: 'send less: move large files out of it, or have the limit raised',
  ENVIRONMENT_UNKNOWN: 'remuda env list',
  ENVIRONMENT_EXISTS: 'choose another id, or: remuda env get <id>',
  MACHINE_UNKNOWN: 'remuda machine list',
  MACHINE_REMOVED: 'remuda machine restore <machine>',
  MACHINE_NOT_REMOVED: 'remuda env removed <environment>',
  TOKEN_UNKNOWN: 'remuda token list',
  WEBHOOK_UNKNOWN: 'remuda webhook list',
  WEBHOOKS_TOO_MANY: 'remuda webhook delete <webhook>',
  ENROLLMENT_UNKNOWN: 'remuda enroll list',
  PROJECT_UNKNOWN: 'remuda project list',
  PROJECT_EXISTS: 'choose another id, or: remuda project get <id>',
  PROCESS_EMPTY: 'remuda project process set <project> --file process.yaml',
  TEMPLATE_UNKNOWN: 'remuda template list',
  TEMPLATE_VERSION_TAKEN: 'leave `version` out of the file',
  RELEASE_UNKNOWN: 'remuda release list <project>',
  RELEASE_EXISTS: 'a release never changes: choose another version',
  DEPLOYMENT_UNKNOWN: 'remuda deploy list',
  DEPLOYMENT_ENDED: 'remuda deploy retry <deployment>',
  DEPLOYMENT_NOT_ENDED: 'remuda deploy watch <deployment>',
  TARGET_UNKNOWN: 'remuda machine list --environment <environment>',
}

function nextOf(code: string, requestId: string | null): string | null {
  const fault = requestId === null ? 'look at the log of the server' : `look for ${requestId} in the log of the server`
  return steps[code] ?? (code === 'FAULT' ? fault : null)
}

/** Nobody answered: refused, timed out, no such name, or cut off in the middle. */
export class Unreachable extends CliError {
  constructor(server: string, why: string) {
    super(
      exits.unreachable,
      'SERVER_UNREACHABLE',
      `${server} does not answer: ${why}.`,
      'start it with `remuda serve`, or name another with --server or REMUDA_SERVER',
    )
  }
}

/** Reads the problem out of an answer that is not a success, whoever wrote it: Remuda, or a proxy before it. */
export function problemFrom(status: number, body: string): ApiProblem {
  const said = objectOf(body)
  const code = typeof said.code === 'string' ? said.code : `HTTP_${status}`
  const detail = [said.detail, said.title].find((text) => typeof text === 'string')
  const errors = Array.isArray(said.errors) ? (said.errors as FieldError[]) : []
  const requestId = typeof said.requestId === 'string' ? said.requestId : null
  return new ApiProblem(status, code, detail ?? `The server answered with status ${status}.`, errors, requestId)
}

function objectOf(body: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}
