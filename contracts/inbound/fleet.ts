import { z } from 'zod'
import * as api from '../api.ts'
import * as id from '../ids.ts'
import { ask, nothing, type InboundRequest } from './request.ts'

const environment = { environmentId: id.environmentId }
const machine = { machineId: id.machineId }

/** What may be asked of environments, machines and credentials. */
export const fleetRequests = {
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
  RevertDecision: ask(
    'POST',
    '/v1/environments/:environmentId/decisions/:decisionId/revert',
    'write',
    api.ReasonBody.extend({ ...environment, decisionId: id.decisionId }),
    'Take back what one decision of the policy did: the machines that it removed are restored',
  ),
  RegisterMachine: ask('POST', '/v1/machines', 'write', api.CreateMachineBody, 'Register a machine'),
  ChangeMachine: ask(
    'PATCH',
    '/v1/machines/:machineId',
    'write',
    api.PatchMachineBody.extend(machine),
    "Change a machine's name, roles, environment or probe",
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
  ReleaseMachine: ask(
    'POST',
    '/v1/machines/:machineId/release',
    'write',
    api.ReasonBody.extend(machine),
    'Let a machine work again that was put in quarantine since two used its key',
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
