// Stryker's mutators put every mutant into the sources behind a switch; the tests are bundled with them into one script.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Instrumenter } from '@stryker-mutator/instrumenter';
import { build } from 'esbuild';

const SILENT = { debug: () => undefined, info: () => undefined, isDebugEnabled: () => false };
const OPTIONS = { plugins: null, ignorers: [], excludedMutations: [] };

/** @returns the sources by absolute path, and the mutants in them, lines and columns from 0 */
async function instrument(paths) {
  const files = paths.map((name) => ({ name, mutate: true, content: readFileSync(name, 'utf8') }));
  const instrumented = await new Instrumenter(SILENT).instrument(files, OPTIONS);
  return {
    sources: new Map(instrumented.files.map(({ name, content }) => [name, content])),
    mutants: instrumented.mutants,
  };
}

/** One script of all tests and what they import; it wants `require` and a stand-in of vitest. */
export async function bundleMutants(mutate, tests) {
  const { sources, mutants } = await instrument(filesOf(mutate));
  const entry = filesOf(tests).flatMap((path) => [
    `import ${JSON.stringify(`file-now:${path}`)};`,
    `import ${JSON.stringify(path)};`,
  ]);
  const { outputFiles } = await build({
    stdin: { contents: entry.join('\n'), resolveDir: process.cwd() },
    bundle: true,
    write: false,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    packages: 'external',
    logLevel: 'error',
    plugins: [{ name: 'mutants', setup: (bundler) => replaceSources(bundler, sources) }],
  });
  return {
    text: outputFiles[0].text,
    mutants: mutants.filter(({ status }) => status !== 'Ignored'),
  };
}

/** Absolute paths of `a/*.ts` and `a/b.ts`. */
export function filesOf(patterns) {
  return patterns.flatMap((pattern) => {
    const folder = dirname(pattern);
    const [head, tail] = pattern.slice(folder.length + 1).split('*');
    const names = readdirSync(folder).filter((name) =>
      tail === undefined ? name === head : name.startsWith(head) && name.endsWith(tail),
    );
    if (names.length === 0) throw new Error(`no file is ${pattern}`);
    return names.sort().map((name) => resolve(join(folder, name)));
  });
}

function replaceSources(bundler, sources) {
  const standIn = 'stand-in';
  bundler.onResolve({ filter: /^(vitest$|file-now:)/ }, ({ path }) => ({
    path,
    namespace: standIn,
  }));
  bundler.onLoad({ filter: /.*/, namespace: standIn }, ({ path }) => ({
    contents:
      path === 'vitest'
        ? 'module.exports = standIn.vitest;'
        : `standIn.fileNow(${JSON.stringify(path.slice('file-now:'.length))});`,
  }));
  bundler.onLoad({ filter: /\.ts$/ }, ({ path }) => ({
    loader: 'ts',
    contents: (sources.get(path) ?? readFileSync(path, 'utf8'))
      .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href))
      .replaceAll('import.meta.dirname', JSON.stringify(dirname(path))),
  }));
}
