/**
 * The version that a rule means, of those that are kept; null when there is none.
 * @param rule as a step says it; left out: the newest
 * @param versions in the order of their uploads, so that the last that fits is the newest
 */
export function versionMeant(
  rule: string | undefined,
  releaseVersion: string,
  versions: readonly string[],
): string | null {
  if (rule === undefined || rule === 'latest') return versions.at(-1) ?? null
  if (rule.endsWith('*')) return versions.findLast((version) => version.startsWith(rule.slice(0, -1))) ?? null
  const wanted = rule === 'release' ? releaseVersion : rule
  return versions.includes(wanted) ? wanted : null
}
