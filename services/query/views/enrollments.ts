import type { EnrollmentEvent } from '#contracts/enrollment.ts'
import type { EnrollmentRow } from '#contracts/credentialRows.ts'
import type { View } from '#libs/view.ts'
import { iso } from './iso.ts'

/** Join tokens, without anything that their secret could be told from. */
export const enrollments: View<EnrollmentRow, EnrollmentEvent> = {
  name: 'enrollments.v1',
  observes: ['EnrollmentCreated', 'EnrollmentUsed', 'EnrollmentRevoked'],
  keysOf: ({ data }) => [data.enrollmentId],

  project(row, fact) {
    switch (fact.type) {
      case 'EnrollmentCreated': {
        const { enrollmentId: id, environmentId, roles, expiresAt, usesMax } = fact.data
        const createdAt = iso(fact.meta.at)
        return { id, environmentId, roles, expiresAt: iso(expiresAt), usesMax, uses: 0, revoked: false, createdAt }
      }
      case 'EnrollmentUsed':
        return row && { ...row, uses: row.uses + 1 }
      case 'EnrollmentRevoked':
        return row && { ...row, revoked: true }
    }
  },
}
