import type { Probe } from '#contracts/probe.ts'
import { environmentId, type Plane } from './plane.ts'

const projectId = 'shop'
const person = { kind: 'person', reason: 'no longer needed', decisionId: null, deploymentId: null }

const probes: { readonly [Kind in Probe['kind']]: (host: string) => Probe } = {
  tcp: (host) => ({ kind: 'tcp', host, port: 22 }),
  http: (host) => ({ kind: 'http', url: `http://${host}/` }),
  ssh: (host) => ({ kind: 'ssh', host, port: 22, user: 'remuda' }),
}

/** Registers machines without an agent, of the same name as their host, which the server looks at, or not even that. */
export async function bare(plane: Plane, kind: Probe['kind'] | null, ...names: readonly string[]): Promise<void> {
  for (const name of names) {
    plane.bare.add(name)
    const who = { machineId: name, name, environmentId, roles: [], attributes: { zone: 'a' } }
    const none = { facts: null, publicKey: null, enrollmentId: null, force: false }
    const probe = kind === null ? null : probes[kind](name)
    await plane.must('registry', 'RegisterMachine', { ...who, ...none, probe })
  }
}

/** Begins to deploy a release of one step, which takes a while, to the whole environment or to machines by their ids. */
export async function deploy(
  plane: Plane,
  version: string,
  takesMs = 60_000,
  machineIds: readonly string[] | null = null,
): Promise<string> {
  const what = { durationMinMs: takesMs, durationMaxMs: takesMs, failsShare: 0, badMachinesShare: 0 }
  const step = { id: 'install', kind: 'script', script: JSON.stringify(what), window: '100%', onFailure: 'exclude' }
  if (plane.count('ProjectCreated') === 0) await plane.must('deployment', 'CreateProject', { projectId, name: 'Shop' })
  const process = { steps: [step] }
  await plane.must('deployment', 'ChangeProcess', { projectId, process, expectedVersion: null })
  await plane.must('deployment', 'CreateRelease', { projectId, version, notes: '' })
  const deploymentId = plane.world.id()
  const order = { deploymentId, projectId, version, environmentId, kind: 'release', machineIds }
  await plane.must('deployment', 'CreateDeployment', order)
  return deploymentId
}

/** A person takes a machine out. */
export const remove = (plane: Plane, name: string): Promise<void> =>
  plane.must('registry', 'DeregisterMachine', {
    ...{ machineId: plane.idOf(name), cause: person, evidence: null, policyVersion: null },
  })

/** Begins to deploy a release of these steps to the whole environment; what a script does on a machine takes a while. */
export async function carryOut(plane: Plane, steps: readonly object[], more: object = {}): Promise<string> {
  const what = { durationMinMs: 5_000, durationMaxMs: 5_000, failsShare: 0, badMachinesShare: 0 }
  const process = { steps: steps.map((step) => ({ kind: 'script', ...scriptOf(step, what), ...step })), ...more }
  await plane.must('deployment', 'CreateProject', { projectId, name: 'Shop' })
  await plane.must('deployment', 'ChangeProcess', { projectId, process, expectedVersion: null })
  await plane.must('deployment', 'CreateRelease', { projectId, version: '1.0.0', notes: '' })
  const deploymentId = plane.world.id()
  const order = { deploymentId, projectId, version: '1.0.0', environmentId, kind: 'release', machineIds: null }
  await plane.must('deployment', 'CreateDeployment', order)
  return deploymentId
}

const scriptOf = (step: object, what: object) => ('kind' in step ? {} : { script: JSON.stringify(what) })
