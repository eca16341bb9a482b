import { Document, isScalar, visit } from 'yaml'

/** What would move a cursor, or be lost where a text stands as lines. */
const unseen = /[^\P{Cc}\n\t]|[\u2028\u2029\ufeff]/u
const stillThere = /[\u007f-\u009f\u2028\u2029\ufeff]/g

/** A value as YAML that says exactly the same when it is read again, and that does no harm to a terminal. */
export function yamlOf(value: unknown): string {
  const document = new Document(value, { aliasDuplicateObjects: false })
  visit(document, {
    Scalar(_, scalar) {
      if (isScalar(scalar) && typeof scalar.value === 'string' && unseen.test(scalar.value))
        scalar.type = 'QUOTE_DOUBLE'
    },
  })
  // Such characters stand between double quotes now, where YAML takes them by their number.
  const numbered = (char: string) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
  return document.toString({ lineWidth: 0 }).replaceAll(stillThere, numbered)
}
