import { z } from 'zod'
import * as api from '../api.ts'
import * as id from '../ids.ts'
import { ask, nothing, type InboundRequest } from './request.ts'

const environment = { environmentId: id.environmentId }
const project = { projectId: id.projectId }
const deployment = { deploymentId: id.deploymentId }
const override = { ...project, ...environment }

/** What may be asked of projects, releases and deployments. */
export const deliveryRequests = {
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
  RedeployDeployment: ask(
    'POST',
    '/v1/deployments/:deploymentId/redeploy',
    'write',
    nothing.extend(deployment),
    'Deploy the same release again, with the same restrictions',
  ),
  ExcludeTarget: ask(
    'POST',
    '/v1/deployments/:deploymentId/exclude',
    'write',
    api.TargetBody.extend(deployment),
    'Keep a machine out of a deployment, whatever is evaluated later',
  ),
  IncludeTarget: ask(
    'POST',
    '/v1/deployments/:deploymentId/include',
    'write',
    api.TargetBody.extend(deployment),
    'Take a machine in again that is out of a deployment',
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
    'Decide what a deployment waits for: an approval, or what becomes of a target that failed',
  ),
} as const satisfies Record<string, InboundRequest>
