import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

// The program to talk to while `npm run dev` serves the page.
const backend = process.env.CREDITGRAPH_ADDRESS ?? 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [react()],
  base: '/',
  build: { outDir: 'build', target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  server: { proxy: { '/graphql': { target: backend, ws: true }, '/oauth': backend, '/explorer/session': backend } },
});
