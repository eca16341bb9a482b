/**
 * What the streams of one store are called, so that other applications, and other stores, may share the cluster.
 *
 * Events are in `remuda.machine-web-1`, whose category for KurrentDB is `remuda.machine`; what is kept beside them is in
 * `remuda:checkpoint-relay`, which the prefix of the events does not cover.
 */
export interface Names {
  /** What the name of every stream of events begins with, and of no other. */
  readonly eventPrefix: string
  eventStream(stream: string): string
  /** The name of the stream in our own words. */
  streamOf(name: string): string
  /** @param parts of any characters; different parts are different streams */
  keptStream(kind: 'epoch' | 'checkpoint' | 'snapshot' | 'parked' | 'fence', ...parts: readonly string[]): string
}

export function namesOf(prefix: string): Names {
  const eventPrefix = `${prefix}.`
  return {
    eventPrefix,
    eventStream: (stream) => eventPrefix + stream,
    streamOf: (name) => name.slice(eventPrefix.length),
    keptStream: (kind, ...parts) => {
      // A slash within a part is escaped, so that it can not be taken for the one between two parts.
      const rest = parts.map((part) => encodeURIComponent(part.toWellFormed())).join('/')
      return `${prefix}:${kind}${rest && '-'}${rest}`
    },
  }
}
