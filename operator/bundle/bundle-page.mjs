// The page of local mode: one script and one style sheet, nothing from elsewhere.
import { copyFile } from 'node:fs/promises';
import { build } from 'esbuild';

await build({
  entryPoints: { page: 'operator/local/page/main.tsx' },
  outdir: 'dist/bundle/page',
  bundle: true,
  platform: 'browser',
  target: 'es2022',
  format: 'esm',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  minify: true,
  sourcemap: false,
  legalComments: 'eof',
  logLevel: 'warning',
});
await Promise.all(
  ['index.html', 'icon.svg'].map((file) =>
    copyFile(`operator/local/page/${file}`, `dist/bundle/page/${file}`),
  ),
);
