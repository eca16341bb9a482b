import { z } from 'zod'
import * as api from './api.ts'
import * as id from './ids.ts'
import type { Scope } from './token.ts'

/**
 * A request that other systems may make over the bus, as a CloudEvent of this type. It is one of the HTTP API's and is
 * carried out as that: the fields that the path names go there, the others are the body.
 */
export interface InboundRequest {
  readonly summary: string
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  /** What a credential must allow; the same as the route's. */
  readonly scope: Scope
  /** What the `data` of the CloudEvent holds. */
  readonly data: z.ZodObject
  /** The field that is the whole body of the route, where the body is one thing and not several fields. */
  readonly body?: string
}

/** A route without a body still takes an object, so that a field it does not know is told. */
const nothing = z.strictObject({})

type Body = z.ZodObject

const ask = (
  method: InboundRequest['method'],
  path: string,
  scope: Scope,
  data: Body,
  summary: string,
): InboundRequest => ({ summary, method, path, scope, data })

const environment = { environmentId: id.environmentId }
const machine = { machineId: id.machineId }
const project = { projectId: id.projectId }
const deployment = { deploymentId: id.deploymentId }
const override = { ...project, ...environment }

const registryRequests = {
  CreateEnvironment: ask('POST', '/v1/environments', 'admin', api.CreateEnvironmentBody, 'Create an environment'),
  RenameEnvironment: ask(
    'PATCH',
    '/v1/environments/:environmentId',
    'admin',
    api.PatchEnvironmentBody.extend(environment),
    'Rename an environment',
  ),
  ChangeEnvironmentPolicy: {
    method: 'PUT',
    path: '/v1/environments/:environmentId/policy',
    scope: 'admin',
    data: z.strictObject({ ...environment, policy: api.PutPolicyBody }),
    body: 'policy',
    summary: "Replace an environment's policy; with the attribute `ifmatch`, only when it still has that version",
  },
  ReleaseWithheldRemovals: ask(
    'POST',
    '/v1/environments/:environmentId/guard/release',
    'write',
    api.ReleaseWithheldBody.extend(environment),
    'Let removals go that the mass-failure guard withholds',
  ),
  RegisterMachine: ask('POST', '/v1/machines', 'write', api.CreateMachineBody, 'Register a machine'),
  ChangeMachine: ask(
    'PATCH',
    '/v1/machines/:machineId',
    'write',
    api.PatchMachineBody.extend(machine),
    "Change a machine's name, roles or environment",
  ),
  DeregisterMachine: ask(
    'DELETE',
    '/v1/machines/:machineId',
    'write',
    api.OptionalReasonBody.extend(machine),
    'Remove a machine',
  ),
  RestoreMachine: ask(
    'POST',
    '/v1/machines/:machineId/restore',
    'write',
    api.ReasonBody.extend(machine),
    'Bring back a removed machine',
  ),
  EnableMachine: ask(
    'POST',
    '/v1/machines/:machineId/enable',
    'write',
    nothing.extend(machine),
    'Let deployments go to a machine again',
  ),
  DisableMachine: ask(
    'POST',
    '/v1/machines/:machineId/disable',
    'write',
    api.ReasonBody.extend(machine),
    'Let no deployment go to a machine',
  ),
  CheckMachine: ask(
    'POST',
    '/v1/machines/:machineId/check',
    'write',
    nothing.extend(machine),
    'Ask a machine for a sign of life now',
  ),
  RevokeEnrollment: ask(
    'DELETE',
    '/v1/enrollments/:enrollmentId',
    'admin',
    api.ReasonBody.extend({ enrollmentId: id.enrollmentId }),
    'Revoke a join token',
  ),
  RevokeToken: ask(
    'DELETE',
    '/v1/tokens/:tokenId',
    'admin',
    nothing.extend({ tokenId: id.tokenId }),
    'Revoke an API token',
  ),
} as const satisfies Record<string, InboundRequest>

const deploymentRequests = {
  CreateProject: ask('POST', '/v1/projects', 'write', api.CreateProjectBody, 'Create a project'),
  RenameProject: ask('PUT', '/v1/projects/:projectId', 'write', api.PutProjectBody.extend(project), 'Rename a project'),
  ChangeProcess: {
    method: 'PUT',
    path: '/v1/projects/:projectId/process',
    scope: 'write',
    data: z.strictObject({ ...project, process: api.PutProcessBody }),
    body: 'process',
    summary: 'Replace the steps of a project; with the attribute `ifmatch`, only when they still have that version',
  },
  SetReleaseOverride: ask(
    'PUT',
    '/v1/projects/:projectId/environments/:environmentId/override',
    'write',
    api.PutOverrideBody.extend(override),
    'Pin the release that machines of an environment should have',
  ),
  CreateRelease: ask(
    'POST',
    '/v1/projects/:projectId/releases',
    'write',
    api.CreateReleaseBody.extend(project),
    'Create a release: a snapshot of the process and variables as they are now',
  ),
  CloseReleaseCircuit: ask(
    'DELETE',
    '/v1/projects/:projectId/environments/:environmentId/circuits/:version',
    'write',
    nothing.extend({ ...override, version: id.version }),
    'Deploy a stopped release automatically again',
  ),
  CreateDeployment: ask(
    'POST',
    '/v1/deployments',
    'write',
    api.CreateDeploymentBody,
    'Deploy a release to an environment: to all machines it is for, or to named ones',
  ),
  RetryDeployment: ask(
    'POST',
    '/v1/deployments/:deploymentId/retry',
    'write',
    nothing.extend(deployment),
    'Deploy again to the targets on which it did not succeed',
  ),
  CancelDeployment: ask(
    'POST',
    '/v1/deployments/:deploymentId/cancel',
    'write',
    api.ReasonBody.extend(deployment),
    'Cancel a deployment',
  ),
  DecideDeployment: ask(
    'POST',
    '/v1/deployments/:deploymentId/decide',
    'write',
    api.DecideBody.extend(deployment),
    'Approve or reject what a deployment waits for',
  ),
} as const satisfies Record<string, InboundRequest>

/**
 * Every request that is taken over the bus, by its type. Not among them is what holds a secret or is answered with one
 * (variables, join tokens, API tokens): on a bus, others may listen.
 */
export const inboundRequests: Readonly<Record<string, InboundRequest>> = { ...registryRequests, ...deploymentRequests }
