import { randomUUIDv7 } from 'node:crypto'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import type { Cause, Message } from '#contracts/message.ts'
import { firstSeal, sealAfter, sealText } from '#libs/store/sqlite/seal.ts'

/** What the event store is measured against: the bare engine, called by hand in the tightest loop there is. */
export interface Baseline {
  /** Appends `count` events, `group` to a transaction. */
  append(count: number, group: number): void
  close(): void
}

/** Writes the rows that the store writes, without its checks, heads, queue and promises. Works on a copy of a store. */
export function rawLoop(path: string): Baseline {
  const db = open(path)
  const insert = db.prepare('INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)')
  const setSeal = db.prepare('UPDATE events SET seal = ? WHERE position = ?')
  const versions = new Uint32Array(numberIn(db, 'SELECT max(no) FROM streams'))
  let position = numberIn(db, 'SELECT max(position) FROM events')
  let seal: Uint8Array = firstSeal
  let [covered, sealedUpTo] = ['', position]

  const appendOne = () => {
    const { no, stream, version, fact, cause } = nextAppend(position, versions)
    const { actor, commandId, correlationId, causationId } = cause
    const data = JSON.stringify(fact.data)
    const meta = JSON.stringify([randomUUIDv7(), actor, commandId, correlationId, causationId])
    insert.run(++position, no, version + 1, position - 1, 1, Date.now(), data, meta)
    covered += sealText(stream, version + 1, fact.type, data, meta)
  }
  const sealAll = () => {
    seal = sealAfter(seal, sealedUpTo + 1, Date.now(), covered)
    setSeal.run(seal, position)
    covered = ''
    sealedUpTo = position
  }
  return loop(db, appendOne, sealAll)
}

/** The schema that most event stores over SQL use: a text stream, unique with the version. */
export function usualSchema(path: string, events: number, streams: number): Baseline {
  const db = open(path)
  db.exec(`CREATE TABLE events (position INTEGER PRIMARY KEY AUTOINCREMENT, stream TEXT NOT NULL, version INTEGER NOT NULL,
    id TEXT NOT NULL, type TEXT NOT NULL, at INTEGER NOT NULL, data TEXT NOT NULL, meta TEXT NOT NULL, UNIQUE (stream, version))`)
  const insert = db.prepare(
    'INSERT INTO events (stream, version, id, type, at, data, meta) VALUES (?, ?, ?, ?, ?, ?, ?)',
  )
  const versions = new Uint32Array(streams)
  let appended = 0
  const baseline = loop(db, () => appendUsual(insert, versions, appended++))
  baseline.append(events, 10_000)
  return baseline
}

function appendUsual(insert: StatementSync, versions: Uint32Array, number: number): void {
  const { stream, version, fact, cause } = nextAppend(number, versions)
  insert.run(
    stream,
    version + 1,
    randomUUIDv7(),
    fact.type,
    Date.now(),
    JSON.stringify(fact.data),
    JSON.stringify(cause),
  )
}

function loop(db: DatabaseSync, appendOne: () => void, beforeCommit: () => void = () => {}): Baseline {
  const [begin, commit] = [db.prepare('BEGIN IMMEDIATE'), db.prepare('COMMIT')]
  return {
    append(count, group) {
      for (let done = 0; done < count; done += group) {
        begin.run()
        for (let index = done; index < Math.min(done + group, count); index++) appendOne()
        beforeCommit()
        commit.run()
      }
    },
    close: () => db.close(),
  }
}

function open(path: string): DatabaseSync {
  const db = new DatabaseSync(path)
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
  return db
}

const numberIn = (db: DatabaseSync, sql: string) => Number(Object.values(db.prepare(sql).get() ?? {})[0])

/** What a caller has in hand before it appends; every candidate is given the same. */
export function nextAppend(number: number, versions: Uint32Array) {
  const no = (Math.imul(number, 0x9e3779b1) >>> 0) % versions.length
  const version = versions[no] ?? 0
  versions[no] = version + 1
  const stream = `machine-web-${String(no).padStart(7, '0')}`
  return { no, stream, version, fact: sampleFact(number), cause: sampleCause(number) }
}

/** About 300 bytes of data, as a real fact has. */
const sampleFact = (number: number): Message => ({
  type: number % 3 === 0 ? 'MachineBecameHealthy' : 'MachineBecameUnhealthy',
  data: {
    machineId: `web-${number % 100_000}`,
    environmentId: 'production',
    evidence: { transport: 'agent', observedAt: 1_790_000_000_000 + number, failures: number % 7, window: '60s' },
    checks: [
      { name: 'disk', status: 'warning', detail: 'less than 10 % free on /var' },
      { name: 'http', status: 'ok' },
    ],
    policyVersion: number % 11,
  },
})

const sampleCause = (number: number): Cause => ({
  actor: 'service:health',
  commandId: `019a3c5e-7f10-7a3b-9c1d-${String(number).padStart(12, '0')}`,
  correlationId: '019a3c5e-7f10-7a3b-9c1d-4f2b6a8e0c11',
  causationId: null,
})
