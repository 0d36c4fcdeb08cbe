import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

/**
 * The borders of the architecture, proved with the real project files: a skeleton that holds every tsconfig.json of
 * the repository and one tiny module per project is compiled with imports in all directions.
 */
const root = resolve(import.meta.dirname, '../../..');
const node =
  'import { readFileSync } from "node:fs";\nexport const text = readFileSync("x", "utf8");\n';

/** Folder that stands for a project -> projects it may import. */
const allowed: Record<string, readonly string[]> = {
  crds: [],
  'crds/generate': ['crds'],
  'server/core': ['crds'],
  server: ['crds', 'server/core'],
  'server/engine/host': ['crds', 'server/core', 'server'],
  'operator/stats': ['crds', 'server/core'],
  'operator/lifecycle': ['crds', 'server/core', 'operator/stats'],
  'operator/training': ['crds', 'server/core', 'operator/stats'],
  'operator/plan': ['crds', 'server/core'],
  operator: [
    'crds',
    'crds/generate',
    'server/core',
    'operator/stats',
    'operator/lifecycle',
    'operator/training',
    'operator/plan',
    'operator/local/page/state',
  ],
  'operator/local/page/state': [],
  // Of crds the words of a budget, which page and terminal share.
  'operator/local/page': ['crds', 'operator/local/page/state'],
  'charts/generate': ['crds', 'crds/generate', 'server/core', 'operator/plan'],
};
const folders = Object.keys(allowed);
const pure = [
  'crds',
  'server/core',
  'operator/stats',
  'operator/lifecycle',
  'operator/training',
  'operator/plan',
  'operator/local/page/state',
  'operator/local/page',
];

let skeleton = '';
let output = '';

function write(path: string, text: string): void {
  mkdirSync(dirname(join(skeleton, path)), { recursive: true });
  writeFileSync(join(skeleton, path), text);
}

function edgeFile(from: string, to: string): string {
  return `${from}/edge-to-${to.replaceAll('/', '-')}.ts`;
}

function compile(): string {
  try {
    execFileSync(
      process.execPath,
      [join(root, 'node_modules/typescript/bin/tsc'), '-b', '--pretty', 'false'],
      {
        cwd: skeleton,
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    return '';
  } catch (error) {
    return String((error as { stdout: Buffer }).stdout);
  }
}

beforeAll(() => {
  skeleton = mkdtempSync(join(tmpdir(), 'layercache-borders-'));
  symlinkSync(join(root, 'node_modules'), join(skeleton, 'node_modules'));
  writeFileSync(join(skeleton, 'package.json'), '{ "type": "module" }');
  const solution = JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8')) as {
    references: { path: string }[];
  };
  solution.references = solution.references.filter(({ path }) => path !== 'test');
  writeFileSync(join(skeleton, 'tsconfig.json'), JSON.stringify(solution));
  for (const { path } of solution.references) {
    mkdirSync(join(skeleton, path), { recursive: true });
    copyFileSync(join(root, path, 'tsconfig.json'), join(skeleton, path, 'tsconfig.json'));
  }
  for (const from of folders) {
    write(`${from}/module.ts`, `export const here = ${JSON.stringify(from)};\n`);
    write(`${from}/node.ts`, node);
    for (const to of folders.filter((name) => name !== from)) {
      const target = relative(from, `${to}/module.ts`);
      const specifier = target.startsWith('.') ? target : `./${target}`;
      write(edgeFile(from, to), `export { here } from ${JSON.stringify(specifier)};\n`);
    }
  }
  output = compile();
}, 120_000);

afterAll(() => {
  rmSync(skeleton, { recursive: true, force: true });
});

for (const from of folders) {
  for (const to of folders.filter((name) => name !== from)) {
    const may = allowed[from]?.includes(to) ?? false;
    test(`${from} ${may ? 'may' : 'cannot'} import ${to}`, () => {
      const errors = output.split('\n').filter((line) => line.startsWith(`${edgeFile(from, to)}(`));
      if (may) expect(errors).toEqual([]);
      else expect(errors.join('\n')).toMatch(/TS6307|TS6059/);
    });
  }
  test(`${from} ${pure.includes(from) ? 'cannot' : 'may'} import node:fs`, () => {
    const errors = output.split('\n').filter((line) => line.startsWith(`${from}/node.ts(`));
    if (pure.includes(from)) expect(errors.join('\n')).toMatch(/TS2591|TS2307|TS2580/);
    else expect(errors).toEqual([]);
  });
}
