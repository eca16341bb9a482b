import { describe } from 'vitest'
import type { StoreHome } from '#test/support/store.ts'
import { adopting } from './conformance/adopting.ts'
import { appending } from './conformance/append.ts'
import { backingUp } from './conformance/backup.ts'
import { fencing } from './conformance/fencing.ts'
import { following } from './conformance/follow.ts'
import { keeping } from './conformance/kept.ts'
import { modelled } from './conformance/model.ts'

/** What every event store must do, whatever it is made of. */
export function conforms(kind: string, createHome: () => StoreHome): void {
  describe(`the ${kind} store`, () => {
    appending(createHome)
    adopting(createHome)
    following(createHome)
    keeping(createHome)
    fencing(createHome)
    backingUp(createHome)
    modelled(createHome)
  })
}
