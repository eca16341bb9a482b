import type { PackageEvent, PackageRow } from '#contracts/package.ts'
import type { View } from '#libs/view.ts'
import { iso } from './iso.ts'

export const packageKey = (name: string, version: string): string => `${name}@${version}`

/** The versions of packages whose bytes are kept. */
export const packages: View<PackageRow, PackageEvent> = {
  name: 'packages.v1',
  observes: ['PackageUploaded', 'PackageRemoved'],
  keysOf: ({ data }) => [packageKey(data.name, data.version)],
  columns: { name: (row) => row.name, uploadedAt: (row) => row.uploadedAt },
  indexes: [['name', 'uploadedAt']],

  project(_, fact) {
    switch (fact.type) {
      case 'PackageUploaded':
        return { ...fact.data, uploadedAt: iso(fact.meta.at), uploadedBy: fact.meta.actor }
      case 'PackageRemoved':
        return null
    }
  },
}
