import { expect, it } from 'vitest'
import type { DeploymentEvent } from '#contracts/deployment.ts'
import { createLeases } from '#services/deployment/leases.ts'

const fact = (type: string, data: object) => ({ type, data: { deploymentId: 'd', ...data } }) as DeploymentEvent
const task = { taskId: 't' }

function leased() {
  const time = { nowMs: 0 }
  const leases = createLeases(() => time.nowMs)
  leases.apply(fact('DeploymentCreated', { taskLeaseMs: 100 }))
  leases.apply(fact('TaskDispatched', task))
  const expiredAt = (nowMs: number) => {
    time.nowMs = nowMs
    return leases.isExpired('t')
  }
  return { leases, time, expiredAt }
}

it('a lease is over when it has lasted as long as its deployment says', () => {
  const { expiredAt } = leased()
  expect([expiredAt(100), expiredAt(101)]).toEqual([false, true])
})
it('a sign of life renews it, and so does the start of the task', () => {
  const { leases, time, expiredAt } = leased()
  time.nowMs = 90
  leases.renew('t')
  expect([expiredAt(190), expiredAt(191)]).toEqual([false, true])
  leases.apply(fact('TaskStarted', task))
  expect([expiredAt(291), expiredAt(292)]).toEqual([false, true])
})
it('gets back the time in which nobody could be heard', () => {
  const { leases, expiredAt } = leased()
  leases.extendAll(1_000)
  expect([expiredAt(1_100), expiredAt(1_101)]).toEqual([false, true])
})
it.each(['TaskSucceeded', 'TaskFailed', 'TaskLost'])('ends with its task: %s', (type) => {
  const { leases, expiredAt } = leased()
  leases.apply(fact(type, task))
  expect(expiredAt(10_000)).toBe(false)
})
it('tells whose lease is over', () => {
  const { leases, time } = leased()
  leases.apply(fact('TaskDispatched', { taskId: 't-2' }))
  expect(leases.overdue()).toEqual([])
  time.nowMs = 101
  expect(leases.overdue()).toEqual(['d'])
})
it('of a task that nobody knows is never over', () => {
  const { leases } = leased()
  leases.renew('other')
  expect(leases.isExpired('other')).toBe(false)
})
