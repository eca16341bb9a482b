/** An instant as people and programs read it: ISO 8601 in UTC, with milliseconds. */
export const iso = (atMs: number): string => new Date(atMs).toISOString()
