import { expect, it } from 'vitest'
import { policyRoutes } from '#services/policy/routes.ts'
import { askedOf } from '../deployment/askedOf.ts'

const release = '/v1/environments/production/guard/release'

it.each([
  [['POST', release, {}], 'ReleaseWithheldRemovals', { environmentId: 'production', machineIds: null }],
  [
    ['POST', release, { machines: ['m-1'] }],
    'ReleaseWithheldRemovals',
    { environmentId: 'production', machineIds: ['m-1'] },
  ],
  [
    ['POST', '/v1/environments/production/decisions/d-1/revert', { reason: 'the network was down' }],
    'RevertDecision',
    { environmentId: 'production', decisionId: 'd-1', reason: 'the network was down' },
  ],
  [
    ['DELETE', '/v1/projects/shop/environments/production/circuits/1.0'],
    'CloseReleaseCircuit',
    { environmentId: 'production', projectId: 'shop', version: '1.0' },
  ],
] as const)('the routes of policy turn %o into a command', async (request, type, data) =>
  (await askedOf(policyRoutes)).asks(request, 200, type, data),
)
it('the routes of policy tell of a refusal as of a problem', async () => {
  const { send, refuse } = await askedOf(policyRoutes)
  refuse('MACHINE_UNKNOWN')
  expect(await send('POST', release, {})).toMatchObject({ status: 404, body: { detail: 'because' } })
})
