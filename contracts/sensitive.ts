import { variableCharsMax } from './process.ts'

/** A shorter text stands by chance in every other line, so hiding it would hide the log. */
export const maskableCharsMin = 4
/** The values of all sensitive variables of one task together: each is looked for in many spellings. */
export const sensitiveCharsMax = 8 * variableCharsMax

/**
 * What of a sensitive value is kept out of logs: each of its lines, without the space around it, since tools indent and
 * number lines. A value that has none of them could not be kept secret and is not taken.
 */
export const maskedLines = (value: string): readonly string[] => [
  ...new Set(
    value
      .split(/[\r\n]+/)
      .map((line) => line.trim())
      .filter((line) => line.length >= maskableCharsMin),
  ),
]
