import type { Cause, Recorded } from '#contracts/message.ts'

/** What woke a deployment: the event that its next facts follow from. */
export type Wake = Pick<Cause, 'causationId' | 'correlationId'>

/** The wake that an event is to the deployments which it concerns. */
export const wakeBy = ({ meta }: Recorded): Wake => ({ causationId: meta.id, correlationId: meta.correlationId })
