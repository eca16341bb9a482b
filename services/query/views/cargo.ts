import type { DeploymentEvent } from '#contracts/deployment.ts'

/**
 * What a deployment puts on machines. The fact that ends it names only the machines, so this is kept in the machines'
 * own table, under a key that no machine can have, from the deployment's first fact to its last.
 */
export interface Cargo {
  readonly projectId: string
  readonly version: string
}

type Created = Extract<DeploymentEvent, { type: 'DeploymentCreated' }>
type Ended = Extract<DeploymentEvent, { type: 'DeploymentSucceeded' | 'DeploymentFailed' | 'DeploymentCancelled' }>

export const cargoKey = (deploymentId: string): string => `@${deploymentId}`

export const isCargo = (row: object | undefined): row is Cargo => row !== undefined && !('id' in row)

/**
 * Finds what a deployment puts on machines, whether its first fact was folded long ago or lies in the batch in hand.
 * @param committed reads a row of the machines' table
 */
export function createManifest(committed: (key: string) => object | undefined) {
  const inHand = new Map<string, Cargo>()

  return {
    keysOf(fact: Created | Ended): readonly string[] {
      const { deploymentId } = fact.data
      if (fact.type === 'DeploymentCreated') {
        inHand.set(deploymentId, cargoOf(fact))
        return [cargoKey(deploymentId)]
      }
      const changed = fact.data.outcomes.filter(({ outcome }) => outcome === 'succeeded')
      // The cargo comes last: it is forgotten after everyone has got it.
      return [...changed.map(({ machineId }) => machineId), cargoKey(deploymentId)]
    },
    find(deploymentId: string): Cargo | undefined {
      const known = inHand.get(deploymentId)
      if (known !== undefined) return known
      const row = committed(cargoKey(deploymentId))
      if (!isCargo(row)) return undefined
      inHand.set(deploymentId, row)
      return row
    },
    forget: (deploymentId: string): void => void inHand.delete(deploymentId),
  }
}

export const cargoOf = ({ data }: Created): Cargo => ({ projectId: data.projectId, version: data.version })
