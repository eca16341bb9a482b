import { expect } from 'vitest'
import type { RefusalCode } from '#contracts/refusals.ts'
import { isRefusal, replay, type Decider } from '#libs/decider.ts'

/** Reads as given(past).when(request).thenRecorded(facts): no store, no clock, no mocks. */
export const specify =
  <State, Command, Event>(decider: Decider<State, Command, Event>) =>
  (...past: readonly Event[]) => ({
    when(command: Command) {
      const decision = decider.decide(command, replay(decider, past))
      return {
        thenRecorded: (...facts: readonly Event[]) => expect(decision).toEqual(facts),
        thenNothing: () => expect(decision).toEqual([]),
        /** @param detail what the sentence must say of this case, when the test is about that */
        thenRefused(code: RefusalCode, detail?: string | RegExp) {
          expect(isRefusal(decision) ? decision.refused : decision).toBe(code)
          if (detail !== undefined && isRefusal(decision)) expect(decision.detail).toMatch(detail)
        },
      }
    },
  })
