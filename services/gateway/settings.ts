/** The limits of a gateway. All have a default but its name. */
export interface GatewaySettings {
  /** Tells this gateway from others and from its own earlier lives. */
  readonly gatewayId: string
  /** Into how many parts the machines are shared out among those who listen to them. */
  readonly partitions: number
  /** How often this gateway speaks up even if it has heard nobody. */
  readonly speakMs: number
  /** How long the start may take to read what has happened so far. */
  readonly catchUpMs: number
  /** How long a socket may take to say who it is. */
  readonly helloWithinMs: number
  /** How long a machine may take to answer when two sessions claim to be it. */
  readonly doublePingMs: number
  /** How long a machine may take to answer when somebody asks after it. */
  readonly pingMs: number
  /** How long to wait for the registration of a machine that has just been enrolled to arrive here. */
  readonly unknownWaitMs: number
  /** Sockets that may be open at once. */
  readonly sessionsMax: number
  readonly framesPerSecondMax: number
  /** Results of checks among them. After a reconnect the latest of every check comes at once. */
  readonly checkResultsPerSecondMax: number
  /** Task frames of one session that may wait for their turn. */
  readonly reportsMax: number
  /** Heartbeats of one session that come sooner than this are not told on. */
  readonly heartbeatMinMs: number
  /** What has been heard is told on this often, or when so many machines have been heard. */
  readonly flushMs: number
  readonly flushMachinesMax: number
  /** How often sessions are looked at that have fallen silent. */
  readonly sweepMs: number
  /** A session is closed after so many heartbeat intervals of silence. */
  readonly silentIntervals: number
}

export const gatewayDefaults = {
  partitions: 1,
  speakMs: 1_000,
  catchUpMs: 120_000,
  helloWithinMs: 10_000,
  doublePingMs: 3_000,
  pingMs: 5_000,
  unknownWaitMs: 2_000,
  sessionsMax: 50_000,
  framesPerSecondMax: 2_000,
  checkResultsPerSecondMax: 100,
  reportsMax: 256,
  heartbeatMinMs: 250,
  flushMs: 100,
  flushMachinesMax: 1_000,
  sweepMs: 5_000,
  silentIntervals: 4,
} as const satisfies Omit<GatewaySettings, 'gatewayId'>
