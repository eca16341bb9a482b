import { z } from 'zod'
import { fact, request, type Cause, type Message } from '#contracts/message.ts'
import { refuse, type Decider } from '#libs/decider.ts'

// The smallest aggregate that can do everything an aggregate can, for tests of what stands around aggregates.
export const CounterCommand = z.discriminatedUnion('type', [
  request('Add', { amount: z.number().int().min(1) }),
  request('SetTo', { value: z.number().int() }),
  request('Close', { reason: z.string().min(1) }),
])
export type CounterCommand = z.infer<typeof CounterCommand>

export const CounterEvent = z.discriminatedUnion('type', [
  fact('Added', { amount: z.number() }),
  fact('Closed', { reason: z.string() }),
])
export type CounterEvent = z.infer<typeof CounterEvent>

export interface Counter {
  readonly total: number
  readonly closed: boolean
}

/** Adds up to 100; adding more than 10 at once is recorded as several facts. */
export const counter: Decider<Counter, CounterCommand, CounterEvent> = {
  initial: { total: 0, closed: false },
  decide(command, { total, closed }) {
    if (closed) return command.type === 'Close' ? [] : refuse('MACHINE_REMOVED', 'the counter is closed')
    switch (command.type) {
      case 'Add':
        if (total + command.data.amount > 100) return refuse('DEPLOYMENTS_TOO_MANY', 'a counter ends at 100')
        return partsOf(command.data.amount).map((amount) => ({ type: 'Added', data: { ...command.data, amount } }))
      case 'SetTo':
        return command.data.value === total ? [] : [{ type: 'Added', data: { amount: command.data.value - total } }]
      case 'Close':
        return [{ type: 'Closed', data: command.data }]
    }
  },
  evolve(state, event) {
    switch (event.type) {
      case 'Added':
        return { ...state, total: state.total + event.data.amount }
      case 'Closed':
        return { ...state, closed: true }
    }
  },
}

const partsOf = (amount: number): number[] => (amount <= 10 ? [amount] : [10, ...partsOf(amount - 10)])

export const add = (amount: number): CounterCommand => ({ type: 'Add', data: { amount } })
export const added = (amount: number): CounterEvent => ({ type: 'Added', data: { amount } })
export const close: CounterCommand = { type: 'Close', data: { reason: 'enough' } }

/** A cause as a person would be one. */
export const causeOf = (commandId: string): Cause => ({
  actor: 'user:kim',
  commandId,
  correlationId: `correlation of ${commandId}`,
  causationId: null,
})

/** A fact of any type, for tests in which it does not matter what happened. */
export const something = (data: unknown = {}): Message => ({ type: 'SomethingHappened', data })
