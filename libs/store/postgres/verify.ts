import type { Verification } from '../store.ts'
import { firstSeal, sealAfter, sealText } from '../sqlite/seal.ts'
import { Findings } from '../verifyEvents.ts'
import type { Reader } from './reader.ts'
import { eventColumns, eventOf } from './rows.ts'
import type { Row } from './session.ts'

const pageRows = 1_000

const pageSql = `SELECT ${eventColumns}, s.seal FROM events e LEFT JOIN seals s USING (position)
  WHERE e.position > $1 AND e.position <= $2 ORDER BY e.position LIMIT ${pageRows}`
const endSql = `SELECT position, seal, (SELECT coalesce(max(position), 0) FROM events) FROM log_end`

/** Reads the whole log once and says what is wrong with it. The store may be in use: what comes later is left out. */
export async function verifyLog(reader: Reader): Promise<Verification> {
  const findings = new Findings()
  const doing = 'verifying'
  const [[end, endSeal, last] = []] = await reader.ask({ text: endSql, values: [], name: 'verify-end', doing })
  if (Number(last) !== Number(end)) findings.add(`the log should end at position ${end}, and ends at ${last}`)
  const check = new LogCheck(findings)
  for (;;) {
    const rows = await reader.ask({ text: pageSql, values: [check.position, end], name: 'verify-page', doing })
    for (const row of rows) check.next(row)
    if (rows.length < pageRows) break
  }
  check.finish(bytesOf(endSeal) ?? firstSeal)
  return { events: check.events, streams: check.versions.size, problems: findings.problems }
}

const bytesOf = (text: string | null | undefined): Uint8Array | null =>
  text == null ? null : Buffer.from(text.slice('\\x'.length), 'hex')

class LogCheck {
  readonly versions = new Map<string, number>()
  position = 0
  events = 0
  readonly #findings: Findings
  #seal: Uint8Array = firstSeal
  /** Of the commit that is being read: its first position, its time, and what its seal covers. */
  #commit: { first: number; at: number; text: string } | null = null

  constructor(findings: Findings) {
    this.#findings = findings
  }

  next(row: Row): void {
    const [positionText, stream, versionText, atText, type, data, meta, seal] = row
    const [position, version, at] = [Number(positionText), Number(versionText), Number(atText)]
    if (position !== this.position + 1)
      this.#findings.add(`position ${this.position + 1}: missing, ${position} follows`)
    this.position = position
    this.events++

    const name = String(stream)
    const expected = (this.versions.get(name) ?? 0) + 1
    if (version !== expected)
      this.#findings.add(`position ${position}: ${name} continues with version ${version}, not ${expected}`)
    this.versions.set(name, version)
    this.#checkReadable(row)
    const covered = sealText(name, version, String(type), String(data), String(meta))
    this.#checkSeal(position, at, covered, bytesOf(seal))
  }

  finish(endSeal: Uint8Array): void {
    if (this.#commit !== null) this.#findings.add(`position ${this.position}: the end of the log has no seal`)
    if (Buffer.compare(this.#seal, endSeal) !== 0)
      this.#findings.add(`position ${this.position}: the log ends with another seal than it should`)
  }

  #checkReadable(row: Row): void {
    try {
      eventOf(row)
    } catch {
      this.#findings.add(`position ${row[0]}: the event of ${row[1]} can not be read`)
    }
  }

  #checkSeal(position: number, at: number, text: string, seal: Uint8Array | null): void {
    const commit = (this.#commit ??= { first: position, at, text: '' })
    if (commit.at !== at) this.#findings.add(`position ${position}: its time is not that of its commit`)
    commit.text += text
    if (seal === null) return
    if (Buffer.compare(sealAfter(this.#seal, commit.first, commit.at, commit.text), seal) !== 0)
      this.#findings.add(`positions ${commit.first} to ${position}: the seal does not fit, something was changed`)
    // Goes on from the seal that is stored, so that one change is reported once.
    this.#seal = seal
    this.#commit = null
  }
}
