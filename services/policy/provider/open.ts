import type { Log } from '#libs/log.ts'
import { fileProvider } from './file.ts'
import { httpProvider } from './http.ts'
import type { Provider, ProviderSource } from './provider.ts'
import type { ProviderSettings } from './settings.ts'

const thisMachine = /^(localhost|127(\.\d+){3}|\[::1\])$/

/** The provider that the settings describe. */
export function openProvider(settings: ProviderSettings, log: Log): ProviderSource {
  if (settings.kind === 'http' && settings.tokenFile !== undefined && isInTheClear(new URL(settings.url)))
    log.warn({ provider: settings.name }, 'the token of a provider goes over the network unencrypted; use https')
  return { provider: providerOf(settings), pace: settings }
}

const isInTheClear = ({ protocol, hostname }: URL) => protocol === 'http:' && !thisMachine.test(hostname)

function providerOf(settings: ProviderSettings): Provider {
  switch (settings.kind) {
    case 'file':
      return fileProvider(settings)
    case 'http':
      return httpProvider(settings)
  }
}
