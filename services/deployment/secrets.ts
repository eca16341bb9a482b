import type { SecretReference, WantedVariable } from '#contracts/process.ts'
import { refuse, type Refusal } from '#libs/decider.ts'
import type { SecretOwner, Vault } from '#libs/vault/vault.ts'
import { scopeOf, type Scope } from './variables/scope.ts'
import type { SecretValues, SecretVariable } from './workOrder.ts'

type Unreadable = Refusal & { readonly refused: 'SECRET_DESTROYED' | 'SECRET_UNREADABLE' }

/** What this service does with the vault: it reads what is handed to machines, and destroys. */
export interface Secrets {
  /** Why a value that a change refers to is not in this vault, or null: a later task would fail for want of it. */
  unknown(projectId: string, variables: readonly WantedVariable[]): Promise<Refusal | null>
  reveal(projectId: string, variables: readonly SecretVariable[]): Promise<SecretValues | Unreadable>
  /** @returns up to which version each is destroyed */
  destroy(secrets: readonly SecretReference[]): Promise<readonly SecretReference[] | Refusal>
}

export const ownerOf = (projectId: string, { name, ...scope }: Scope & { readonly name: string }): SecretOwner => ({
  projectId,
  name,
  scope: JSON.stringify(scopeOf(scope)),
})

export function createSecrets(vault: Vault | undefined): Secrets {
  const reveal = async (projectId: string, variables: readonly SecretVariable[]) => {
    const values = new Map<string, string>()
    for (const variable of variables) {
      const read = (await vault?.read(ownerOf(projectId, variable), variable.secret)) ?? 'unreadable'
      if (typeof read === 'string') return unreadable(variable.name, read)
      values.set(variable.name, read.value)
    }
    return values
  }
  return {
    reveal,

    async unknown(projectId, variables) {
      const given = variables.flatMap((one) => (one.secret === undefined ? [] : [{ ...one, secret: one.secret }]))
      const found = await reveal(projectId, given)
      return 'refused' in found ? found : null
    },

    async destroy(secrets) {
      if (vault === undefined) return noVault
      const destroyed: SecretReference[] = []
      for (const { secretId, version } of secrets)
        destroyed.push({ secretId, version: Math.max(version, await vault.destroy(secretId)) })
      return destroyed
    },
  }
}

const noVault = refuse('SERVICE_UNAVAILABLE', 'the deployment service runs without a vault')

function unreadable(name: string, why: 'destroyed' | 'unreadable'): Unreadable {
  if (why === 'destroyed') return { refused: 'SECRET_DESTROYED', detail: `the value of ${name} has been destroyed` }
  const advice = 'give all processes the same REMUDA_VAULT_DIR and REMUDA_MASTER_KEY_FILE, or set the variable again'
  return { refused: 'SECRET_UNREADABLE', detail: `the vault does not have the value of ${name}: ${advice}` }
}
