import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { Notices } from './build-tools/notices';
import { operations } from './operations/plugin';

// The program to talk to while `npm run dev` serves the page.
const backend = process.env.CREDITGRAPH_ADDRESS ?? 'http://127.0.0.1:8080';

const notices = new Notices();

export default defineConfig({
  plugins: [react(), operations(), notices.writer()],
  worker: { format: 'es', plugins: () => [notices.collector()] },
  build: { outDir: 'build', emptyOutDir: true, target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false }, chunkSizeWarningLimit: 4000 },
  server: { fs: { allow: ['..'] }, proxy: { '/graphql': { target: backend, ws: true }, '/oauth': backend, '/explorer/session': backend } },
});
