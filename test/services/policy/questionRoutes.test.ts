import { expect, it } from 'vitest'
import { policyRoutes } from '#services/policy/routes.ts'
import { as } from '#test/support/http.ts'
import { askedOf } from '../deployment/askedOf.ts'

const policy = '/v1/environments/production/policy'

it.each([
  [`${policy}/backtest`, { fromAt: 1 }, 'BacktestPolicy', { policy: null, fromAt: 1 }],
  [`${policy}/what-if`, { silent: { share: 0.5 }, horizonMs: '2h' }, 'WhatIf', { policy: null, horizonMs: 7_200_000 }],
] as const)('whoever may read may ask at %s', async (url, body, type, data) => {
  const { send, sent, refuse } = await askedOf(policyRoutes)
  refuse('BACKTEST_BUSY')
  expect(await send('POST', url, body, as('reader'))).toMatchObject({ status: 429, body: { code: 'BACKTEST_BUSY' } })
  expect(sent.map(({ command }) => command)).toMatchObject([{ type, data: { environmentId: 'production', ...data } }])
})
it('a policy that has a setting which does not exist is not asked about', async () => {
  const { send, sent } = await askedOf(policyRoutes)
  const body = { fromAt: 1, policy: { guard: { shares: 0.5 } } }
  expect(await send('POST', `${policy}/backtest`, body)).toMatchObject({ status: 400 })
  expect(sent).toEqual([])
})
