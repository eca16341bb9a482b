import { describe, expect, it } from 'vitest'
import { groupsOf, isOver, matrixOf, progressOf } from '../../../services/console/app/matrix.ts'
import { planOf } from '#test/support/consoleDelivery.ts'
import { failedDeployment, taskRow, waitingDeployment } from '#test/support/consoleRows.ts'

const statesOf = (machineId: string, tasks: Parameters<typeof matrixOf>[1], deployment = waitingDeployment) =>
  matrixOf(deployment, tasks)
    .find((line) => line.machineId === machineId)
    ?.cells.map(({ state }) => state)

describe('steps by machines', () => {
  it('have a line for each target, then for who else ran something', () => {
    const lines = matrixOf(waitingDeployment, [taskRow('build', 'worker-01', 'succeeded')])
    expect(lines.map(({ name }) => name)).toEqual(['web-11', 'web-12', 'web-13', 'web-01', 'web-02', 'worker-01'])
    expect(lines.at(-1)?.target).toBeNull()
  })
  it('are in the order in which people count, whatever order targets were included in', () => {
    const [target] = waitingDeployment.targets
    const targets = ['web-10', 'web-2', 'web-1'].map((name) => ({ ...target!, name, machineId: name }))
    const lines = matrixOf({ ...waitingDeployment, targets }, [])
    expect(lines.map(({ name }) => name)).toEqual(['web-1', 'web-2', 'web-10'])
  })
  it('show the latest attempt, in whatever order the attempts come', () => {
    const first = taskRow('install', 'web-11', 'failed', { id: 'first' })
    const second = taskRow('install', 'web-11', 'running', { id: 'second', attempt: 2 })
    for (const tasks of [
      [first, second],
      [second, first],
    ])
      expect(statesOf('web-11', tasks)?.[2]).toBe('running')
  })
  it('say pending only of scripts that are still to come to an included target', () => {
    const steps = waitingDeployment.steps.map((step) => ({ ...step, state: 'pending' as const }))
    const fresh = { ...waitingDeployment, steps }
    expect(statesOf('web-11', [], fresh)).toEqual(['pending', 'none', 'pending', 'none', 'none', 'none'])
    expect(statesOf('web-01', [], fresh)?.[2]).toBe('none')
  })
  it('count how far it is', () => {
    expect(progressOf(waitingDeployment)).toEqual({ done: 4, failed: 0, all: 6 })
    expect(progressOf(failedDeployment)).toEqual({ done: 5, failed: 1, all: 6 })
    expect([isOver(waitingDeployment), isOver(failedDeployment)]).toEqual([false, true])
  })

  describe('with a plan', () => {
    const plan = planOf(waitingDeployment)
    const cell = (machineId: string, at: number, deployment = waitingDeployment) =>
      matrixOf(deployment, [], plan).find((line) => line.machineId === machineId)!.cells[at]!

    it('say how a machine stands at steps that run without tasks', () => {
      expect(cell('web-11', 3)).toMatchObject({ state: 'succeeded', task: null })
      const running = waitingDeployment.steps.map((step) => ({ ...step, state: 'running' as const }))
      expect(cell('web-11', 3, { ...waitingDeployment, steps: running })).toMatchObject({ state: 'running' })
      expect(cell('web-11', 2, { ...waitingDeployment, steps: running })).toMatchObject({
        ...{ state: 'pending', reason: 'waits for its turn' },
      })
    })
    it('say why there is nothing for a machine', () => {
      expect(cell('web-11', 0)).toMatchObject({ state: 'none', reason: 'not for this machine' })
      expect(cell('web-13', 2).reason).toBe('failed Install three times: exit code 1')
      const steps = waitingDeployment.steps.map((step) => ({ ...step, state: 'skipped' as const, reason: 'not now' }))
      expect(cell('web-11', 2, { ...waitingDeployment, steps })).toMatchObject({ state: 'none', reason: 'not now' })
    })
    it('mark who goes first, and draw what runs side by side as one', () => {
      expect(['web-11', 'web-12'].map((id) => cell(id, 2).isCanary)).toEqual([true, false])
      expect(groupsOf(waitingDeployment.steps, plan).map(({ size }) => size)).toEqual([1, 1, 2, 1, 1])
      expect(groupsOf(waitingDeployment.steps, null).map(({ size }) => size)).toEqual([1, 1, 1, 1, 1, 1])
    })
  })
})
