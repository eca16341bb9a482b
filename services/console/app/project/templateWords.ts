import type { Parameter } from '#contracts/template/parameters.ts'
import { duration } from '../format.ts'

/** What a parameter of a template takes, in a few words. */
export function parameterWords(parameter: Parameter): string {
  const ends = parameter.required ? ['required'] : defaultWords(parameter)
  return [typeWords(parameter), ...ends].join(', ')
}

function typeWords(parameter: Parameter): string {
  if (parameter.type === 'choice') return `one of ${parameter.options.join(', ')}`
  if (parameter.type === 'text' && parameter.format !== 'text') return parameter.format
  return parameter.type === 'secret' ? 'name of a variable' : parameter.type
}

function defaultWords(parameter: Parameter): readonly string[] {
  const value = parameter.default
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return []
  return [`${parameter.type === 'duration' ? duration(Number(value)) : String(value)} unless told`]
}
