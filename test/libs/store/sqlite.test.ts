import { sqliteHome } from '#test/support/store.ts'
import { conforms } from './conformance.ts'

conforms('SQLite', sqliteHome)
