import { z } from 'zod'
import { Refused } from '#libs/problem.ts'

const Place = z
  .array(z.union([z.string(), z.number()]))
  .min(1)
  .max(4)

/** Where a page ends: the values that its last row is ordered by. */
export type Place = z.infer<typeof Place>

/** The moment of the past that a list is of; `atMs` is null when it was asked for by its position. */
export interface Mark {
  readonly position: number
  readonly atMs: number | null
}

const marked = (list: string, mark: Mark | null) =>
  mark === null ? list : `${list}@${mark.position}@${mark.atMs ?? ''}`
const markPattern = /^[^@]+@(\d{1,16})@(\d{0,16})$/

/**
 * A place as clients carry it from page to page: they need not and should not look into it.
 * @param mark the moment that the list is of, so that the next page is of the same
 */
export const cursorOf = (list: string, place: Place, mark: Mark | null = null): string =>
  Buffer.from(JSON.stringify([marked(list, mark), ...place])).toString('base64url')

/** The moment of the past that a cursor goes on with; null when it is of a list as it is now. */
export function markOf(cursor: string): Mark | null {
  const [, position, atMs] = markPattern.exec(String(read(cursor)[0])) ?? []
  if (position === undefined) return null
  return { position: Number(position), atMs: atMs === '' ? null : Number(atMs) }
}

/**
 * The place that a cursor names.
 * @throws Refused REQUEST_INVALID when it was not given out by this list
 */
export function placeOf(list: string, cursor: string, length: number, mark: Mark | null = null): Place {
  const [of, ...place] = read(cursor)
  if (of !== marked(list, mark) || place.length !== length)
    throw new Refused('REQUEST_INVALID', 'querystring.cursor: this is no cursor of this list; begin without one.')
  return place
}

function read(cursor: string): Place {
  try {
    return Place.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()))
  } catch {
    return []
  }
}
