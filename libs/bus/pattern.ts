const wildcard = /[*>]/

/**
 * Compiles a subject pattern to a predicate. `*` stands for exactly one token, a last `>` for one or more.
 * @throws RangeError when the pattern has an empty token, or a wildcard that is only a part of its token
 */
export function compilePattern(pattern: string): (subject: string) => boolean {
  const tokens = pattern.split('.')
  const wrong = tokens.some(
    (token, at) =>
      token === '' || (wildcard.test(token) && token !== '*' && !(token === '>' && at === tokens.length - 1)),
  )
  if (wrong) throw new RangeError(`'${pattern}' is not a subject pattern`)

  if (!wildcard.test(pattern)) return (subject) => subject === pattern
  const start = pattern.slice(0, -1)
  // The common cases, "everything (right) below here", are asked for each message and must not take subjects apart.
  if (!wildcard.test(start)) {
    const isBelow = (subject: string) => subject.length > start.length && subject.startsWith(start)
    return pattern.endsWith('>') ? isBelow : (subject) => isBelow(subject) && !subject.includes('.', start.length)
  }

  return (subject) => {
    const parts = subject.split('.')
    const rest = tokens.at(-1) === '>'
    if (rest ? parts.length < tokens.length : parts.length !== tokens.length) return false
    return tokens.every((token, at) => token === '*' || token === '>' || token === parts[at])
  }
}
