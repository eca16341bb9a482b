/** How far a call to another system had got. */
export type Step = 'lookup' | 'connect' | 'handshake' | 'login' | 'answer' | 'body' | 'command'

/** What gets in the way before any protocol has its say. */
export type Trouble =
  | { readonly seen: 'fault'; readonly code: string }
  | { readonly seen: 'deadline'; readonly step: Step; readonly timeoutMs: number }
  /** The deadline itself came late: this process did not run, and so could not have seen an answer. */
  | { readonly seen: 'stall'; readonly lateMs: number }
  | { readonly seen: 'address'; readonly address: string; readonly range: string; readonly allow: string }

/** Whether an error of this code comes from the system, and not from what is said over the connection. */
export const isOfSystem = (code: string): boolean => /^E[A-Z0-9]+$/.test(code) && code !== 'EPROTO'
