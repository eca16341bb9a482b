import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vite'

export default defineConfig({
  // A later `vite build services/console` sets the root; relative paths here are meant from this folder.
  root: import.meta.dirname,
  plugins: [svelte({ compilerOptions: { runes: true, discloseVersion: false } })],
  build: {
    target: 'es2023',
    outDir: 'dist',
    emptyOutDir: true,
    // Nothing is inlined, so that the content security policy needs no exception.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { proxy: { '/v1': 'http://127.0.0.1:4780' } },
})
