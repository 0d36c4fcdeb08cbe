// Bundles every program that is started as a process into dist/bundle: what is tried locally is what ships.
// Native packages stay outside, so that their files are found where npm installed them.
import { build } from 'esbuild';
import './bundle-page.mjs';

const programs = {
  server: 'server/main.ts',
  'engine-host': 'server/engine/host/main.ts',
  'engine-onnx-worker': 'server/engine/onnx/worker.ts',
  operator: 'operator/main.ts',
  trainer: 'operator/trainer/main.ts',
  layercache: 'operator/cli/main.ts',
  bench: 'test/bench/main.ts',
};

await build({
  entryPoints: programs,
  outdir: 'dist/bundle',
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  format: 'esm',
  sourcemap: true,
  external: ['onnxruntime-node', 'onnxruntime-node/*'],
  logLevel: 'warning',
  // Bundled CommonJS packages call require for Node's own modules.
  banner: {
    js: "import { createRequire as layercacheCreateRequire } from 'node:module'; const require = layercacheCreateRequire(import.meta.url);",
  },
});
