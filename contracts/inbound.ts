import { deliveryRequests } from './inbound/delivery.ts'
import { fleetRequests } from './inbound/fleet.ts'
import type { InboundRequest } from './inbound/request.ts'

/**
 * Every request that is taken over the bus, by its type. Not among them is what holds a secret or is answered with one
 * (variables, join tokens, API tokens): on a bus, others may listen.
 */
export const inboundRequests: Readonly<Record<string, InboundRequest>> = { ...fleetRequests, ...deliveryRequests }
