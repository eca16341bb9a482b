import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Dues } from '#services/policy/backtest/dues.ts'

const due = fc.record({ atMs: fc.nat(50), machineId: fc.constant('m'), since: fc.nat() })

it('whoever is due first is taken first, however they were added and taken', () =>
  fc.assert(
    fc.property(fc.array(fc.oneof(due, fc.constant(null)), { maxLength: 60 }), (steps) => {
      const dues = new Dues()
      let waiting: number[] = []
      for (const step of steps) {
        if (step !== null) {
          dues.add(step)
          waiting = [...waiting, step.atMs].toSorted((a, b) => a - b)
        } else expect(dues.take()?.atMs).toBe(waiting.shift())
        expect(dues.earliest?.atMs).toBe(waiting[0])
      }
      dues.clear()
      expect(dues.take()).toBeUndefined()
    }),
  ))
