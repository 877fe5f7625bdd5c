import { gzipSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

const gateway = process.env['GATEWAY'] ?? 'http://127.0.0.1:8080';

/** The binary holds the files as browsers take them, a third of the size. */
const compressed: Plugin = {
  name: 'compressed',
  generateBundle: {
    order: 'post',
    handler(_, bundle) {
      for (const [fileName, file] of Object.entries(bundle)) {
        if (/\.(js|css)$/.test(fileName)) {
          const source = gzipSync(file.type === 'chunk' ? file.code : file.source, { level: 9 });
          this.emitFile({ type: 'asset', fileName: `${fileName}.gz`, source });
          delete bundle[fileName];
        }
      }
    },
  },
};

export default defineConfig({
  base: '/playground/',
  plugins: [compressed],
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
  build: {
    // A script or style written into the page would break its content security policy.
    assetsInlineLimit: 0,
    modulePreload: false,
    chunkSizeWarningLimit: 1000,
    target: 'es2022',
  },
  // `npm run dev` shows the page from its sources, in front of a gateway that runs.
  server: {
    proxy: { '/graphql': { target: gateway, ws: true }, '/oauth2': gateway },
  },
});
