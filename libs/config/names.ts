import { z } from 'zod'

export type Settings = z.ZodObject<Record<string, z.ZodType>>

export const prefix = 'REMUDA_'
const words = (key: string) => key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
export const flagOf = (key: string): string => `--${words(key)}`
export const variableOf = (key: string): string => prefix + words(key).replaceAll('-', '_').toUpperCase()

/** What a setting says of itself. Wrappers such as a default hide what the setting inside says. */
export function metaOf(setting: z.core.$ZodType | undefined): Readonly<Record<string, unknown>> {
  const inner =
    setting !== undefined && 'innerType' in setting._zod.def ? (setting._zod.def.innerType as z.ZodType) : undefined
  const own = setting instanceof z.ZodType ? setting.meta() : undefined
  const options = setting instanceof z.ZodEnum ? { options: setting.options } : {}
  return { ...(inner === undefined ? {} : metaOf(inner)), ...options, ...own }
}
