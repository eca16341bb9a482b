import { z } from 'zod'
import { Refused } from '#libs/problem.ts'

const Place = z
  .array(z.union([z.string(), z.number()]))
  .min(1)
  .max(4)

/** Where a page ends: the values that its last row is ordered by. */
export type Place = z.infer<typeof Place>

/** A place as clients carry it from page to page: they need not and should not look into it. */
export const cursorOf = (list: string, place: Place): string =>
  Buffer.from(JSON.stringify([list, ...place])).toString('base64url')

/**
 * The place that a cursor names.
 * @throws Refused REQUEST_INVALID when it was not given out by this list
 */
export function placeOf(list: string, cursor: string, length: number): Place {
  const [of, ...place] = read(cursor)
  if (of !== list || place.length !== length)
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
