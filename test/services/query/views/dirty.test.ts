import { describe, expect, it } from 'vitest'
import type { Message } from '#contracts/message.ts'
import { MachineRow } from '#contracts/rows.ts'
import { machineEvents } from '#services/query/views/machineEvents.ts'
import { machinesView } from '#services/query/views/machines.ts'
import * as f from '../facts.ts'
import { at, rowsOf } from './given.ts'

const about = (taskId: string) => ({ deploymentId: f.deploymentId, taskId, machineId: 'm-1' })
const marked = (taskId = 't-1') => ({ type: 'TargetMarkedDirty', data: about(taskId) })
const cleaned = (taskId = 't-1') => ({ type: 'TargetCleaned', data: about(taskId) })
const machine = (...facts: Message[]) =>
  rowsOf(
    machinesView(() => undefined),
    [f.registered('m-1'), ...facts],
  ).get('m-1') as MachineRow

describe('a machine on which a task was given up', () => {
  it('says since when, and which task may still run', () => {
    expect(MachineRow.strict().parse(machine(marked())).dirty).toEqual({
      ...{ at: at(2), deploymentId: f.deploymentId, taskId: 't-1' },
    })
  })
  it.each([
    ['that task is known to have ended', cleaned()],
    ['a person enables it', f.enabled('m-1')],
    ['it registers anew', f.registered('m-1')],
  ])('is clean again when %s', (_, fact) => expect(machine(marked(), fact).dirty).toBeNull())
  it.each([
    ['another task has ended', cleaned('t-0')],
    ['it is disabled', f.disabled('m-1')],
    ['it is heard', f.healthy('m-1')],
  ])('stays so when %s', (_, fact) => expect(machine(marked(), fact).dirty?.taskId).toBe('t-1'))
  it('has it in its history', () => {
    const types = [...rowsOf(machineEvents, [f.registered('m-1'), marked(), cleaned()]).values()].map(
      ({ type }) => type,
    )
    expect(types).toEqual(['MachineRegistered', 'TargetMarkedDirty', 'TargetCleaned'])
  })
})
