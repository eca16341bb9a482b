import type { SecretReference, Variable, WantedVariable } from '#contracts/process.ts'
import type { ProjectEvent } from '#contracts/project.ts'
import { isRefusal, refuse, type Decision, type Refusal } from '#libs/decider.ts'
import { variableMistakes } from '../variables/mistakes.ts'
import { sameScope, scopeOf, type Scope } from '../variables/scope.ts'
import type { Project } from './decider.ts'
import { bytesOf } from './mistakes.ts'

/** With the process they go into one fact of each deployment. */
const variablesBytesMax = 256 * 1024

/** What is known of a value in the vault. */
export interface Secret {
  readonly name: string
  readonly scope: Scope
  readonly version: number
  /** No version up to this one can be read any more. */
  readonly destroyedThrough: number
}

export interface DestroySecrets {
  readonly type: 'DestroySecrets'
  readonly data: { readonly projectId: string; readonly destroyed: readonly SecretReference[] }
}

/** Replaces the variables as a whole. Of sensitive ones only the references are recorded, the new ones as facts. */
export function changeVariables(
  projectId: string,
  wanted: readonly WantedVariable[],
  state: Project,
): Decision<ProjectEvent> {
  const variables: Variable[] = []
  for (const one of wanted) {
    const variable = withSecret(one, state)
    if (isRefusal(variable)) return variable
    variables.push(variable)
  }
  if (JSON.stringify(variables) === JSON.stringify(state.variables)) return []
  const bytes = bytesOf(variables)
  if (bytes > variablesBytesMax)
    return refuse('BODY_TOO_LARGE', `the variables take ${bytes} bytes as JSON, at most ${variablesBytesMax}`)
  const mistakes = variableMistakes(variables, state.process)
  if (mistakes.length > 0) return refuse('VARIABLES_INVALID', mistakes.join('; '))
  const news = variables.flatMap(({ name, secret, ...scope }): ProjectEvent[] =>
    secret === undefined || secret.version <= (state.secrets[secret.secretId]?.version ?? 0)
      ? []
      : [{ type: 'SecretSet', data: { projectId, ...secret, name, scope: scopeOf(scope) } }],
  )
  return [...news, { type: 'VariablesChanged', data: { projectId, variables } }]
}

/** A sensitive variable with the reference to its value: the one that came, or the one that it has already. */
function withSecret({ sensitive, ...variable }: WantedVariable, { variables, secrets }: Project): Variable | Refusal {
  if (sensitive === undefined) return variable
  const { name, secret = variables.find((one) => one.name === name && sameScope(one, variable))?.secret } = variable
  if (secret === undefined)
    return refuse('SECRET_VALUE_MISSING', `${name} has no value in this scope that it could keep: give it one`)
  const isNew = variable.secret !== undefined
  if (isNew && secret.version <= (secrets[secret.secretId]?.destroyedThrough ?? 0))
    return refuse('SECRET_DESTROYED', `${name} was destroyed while it was set: set it again`)
  return { ...variable, secret }
}

/** Records what the vault has destroyed; what is recorded already stays as it is. */
export const destroySecrets = (
  { projectId, destroyed }: DestroySecrets['data'],
  { secrets }: Project,
): readonly ProjectEvent[] =>
  destroyed.flatMap(({ secretId, version }): ProjectEvent[] => {
    const secret = secrets[secretId]
    if (secret === undefined || version <= secret.destroyedThrough) return []
    return [{ type: 'SecretDestroyed', data: { projectId, secretId, version, name: secret.name } }]
  })
