import { OperatorFault } from '#libs/lifecycle.ts'

/** Why there can be no fleet: a code that stays the same, and words that say how to put it right. */
export class FleetFault extends OperatorFault {
  override readonly name = 'FleetFault'

  constructor(code: string, detail: string) {
    super(`${code}: ${detail}`)
  }
}
