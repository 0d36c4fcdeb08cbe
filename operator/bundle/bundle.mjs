// Bundles every program that is started as a process into dist/bundle: what is tried locally is what ships.
// Native packages stay outside, so that their files are found where npm installed them.
import { chmod, copyFile, cp, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename } from 'node:path';
import { build } from 'esbuild';
import './bundle-page.mjs';
import { packagesIn } from './packages-in.mjs';
import { digestsOf } from './source-digests.mjs';
import { commit } from './commit.mjs';

const programs = {
  server: 'server/main.ts',
  'engine-host': 'server/engine/host/main.ts',
  'image-host': 'server/image/host.ts',
  'engine-onnx-worker': 'server/engine/onnx/worker.ts',
  'engine-tensorflow-worker': 'server/engine/tensorflow/worker.ts',
  'engine-tfjs-worker': 'server/engine/tfjs/worker.ts',
  operator: 'operator/main.ts',
  trainer: 'operator/trainer/main.ts',
  layercache: 'operator/cli/main.ts',
  bench: 'test/bench/main.ts',
  'open-loop': 'test/bench/open-loop-worker.ts',
  'fleet-pods': 'test/bench/fleet/pods-process.ts',
  'bare-server': 'test/bench/server/bare-server.ts',
};

const { metafile } = await build({
  entryPoints: programs,
  outdir: 'dist/bundle',
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  format: 'esm',
  sourcemap: true,
  metafile: true,
  external: ['onnxruntime-node', 'onnxruntime-node/*', 'sharp'],
  // TensorFlow.js looks for its .wasm files beside the script that it is in.
  define: { __dirname: 'import.meta.dirname', LAYERCACHE_COMMIT: JSON.stringify(commit) },
  logLevel: 'warning',
  // Bundled CommonJS packages call require for Node's own modules.
  banner: {
    js: "import { createRequire as layercacheCreateRequire } from 'node:module'; const require = layercacheCreateRequire(import.meta.url);",
  },
});

// Folders of the packages that went into each program, for the bill of materials of an image.
const packages = Object.entries(metafile.outputs)
  .filter(([output]) => output.endsWith('.mjs'))
  .map(([output, { inputs }]) => [basename(output), packagesIn(inputs)]);
await writeFile('dist/bundle/packages.json', JSON.stringify(Object.fromEntries(packages), null, 2));

// What it was made of, so that a long test is not spent on a bundle of other sources.
await writeFile('dist/bundle/sources.json', JSON.stringify(digestsOf(metafile.inputs), null, 2));

// It begins with the name of its interpreter.
await chmod('dist/bundle/layercache.mjs', 0o755);

const wasmFolder = createRequire(import.meta.url)
  .resolve('@tensorflow/tfjs-backend-wasm/package.json')
  .replace(/package\.json$/, 'dist');
// With SIMD, and for processors without; threads do not exist under Node.
for (const file of ['tfjs-backend-wasm-simd.wasm', 'tfjs-backend-wasm.wasm']) {
  await copyFile(`${wasmFolder}/${file}`, `dist/bundle/${file}`);
}

// What `layercache export` writes.
for (const folder of ['dashboards', 'alerts']) {
  await cp(`charts/layercache/files/${folder}`, `dist/bundle/chart/${folder}`, { recursive: true });
}
