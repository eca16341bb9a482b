import type { EventStore } from '#libs/store/store.ts'

/**
 * Shares the work of services out among the processes that run them. The work of a service has one or several
 * partitions, and each is done by one process at a time, as far as processes can know. Leases only see to it that
 * somebody does it: what a former holder that does not know better still writes is refused by the store.
 */
export interface Leases extends AsyncDisposable {
  /** Into how many parts work that can be shared out is cut: the same in all processes of a control plane. */
  readonly partitions: number
  /**
   * Takes part in the work of a service. Resolves once this process does its share, or knows that others do.
   * @param partitions into how many parts the work is cut; 1 when it cannot be shared out and others stand by
   * @param take begins the work of one partition; what it resolves with is closed when the lease ends
   */
  join(service: string, partitions: number, take: Take): Promise<Membership>
}

export type Take = (lease: Lease) => Promise<Work>

/** The right to do the work of one partition, for as long as nobody else has it. */
export interface Lease {
  readonly service: string
  readonly partition: number
  /** The store for this work: it takes no more appends once another process has the lease. */
  readonly store: EventStore
}

/** The work of a partition that is being done. Closing it gives it up in good order. */
export interface Work extends AsyncDisposable {
  /** Resolves with the fault after which the work is done no more; never, as long as all goes on. */
  readonly failure: Promise<unknown>
  /** Lets go at once, since another process does the work by now: there is nothing more to be written. */
  abandon?(): Promise<void>
}

export interface Membership extends AsyncDisposable {
  /** The partitions whose work is done here, in order. */
  held(): readonly number[]
  /** Resolves with the first fault of the work that is done here; never, as long as all goes on. */
  readonly failure: Promise<unknown>
}
