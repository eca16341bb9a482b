import { expect, it } from 'vitest'
import { healthRoutes } from '#services/health/routes.ts'
import { askedOf } from '../deployment/askedOf.ts'

it('the route of health asks for a look at a machine now', async () =>
  (await askedOf(healthRoutes)).asks(['POST', '/v1/machines/m-1/check', {}], 200, 'CheckMachine', { machineId: 'm-1' }))
it('the route of health tells of a refusal as of a problem', async () => {
  const { send, refuse } = await askedOf(healthRoutes)
  refuse('MACHINE_UNKNOWN')
  expect(await send('POST', '/v1/machines/m-1/check')).toMatchObject({ status: 404 })
})
