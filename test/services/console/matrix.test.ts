import { describe, expect, it } from 'vitest'
import { isOver, matrixOf, progressOf } from '../../../services/console/app/matrix.ts'
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
})
