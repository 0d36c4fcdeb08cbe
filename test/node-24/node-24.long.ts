import { spawn } from 'node:child_process';
import { expect, test } from 'vitest';
import { releasedNode, releasedNodeMissing } from '../support/released-node.ts';

// The published images have Node 24, the tests run on the oldest release that is supported: what was computed and served there
// must be computed and served here.

const PURE = ['server/core', 'operator/stats', 'operator/lifecycle', 'operator/training'];
const SUITES = [
  'test/unit/crds',
  ...[...PURE, 'operator/plan'].map((folder) => `test/unit/${folder}`),
  'test/http/server',
];

if (releasedNodeMissing !== null) process.stderr.write(`SKIPPED: ${releasedNodeMissing}\n`);

interface Run {
  readonly code: number | null;
  readonly output: string;
}

/** One run of vitest in a process of that Node; processes that its tests start have the same. */
function runSuites(node: string, suites: readonly string[]): Promise<Run> {
  const words = ['run', '--config', 'test/vitest.config.ts', '--silent=true', ...suites];
  const child = spawn(node, ['node_modules/vitest/vitest.mjs', ...words], {
    // What vitest tells its own workers must not reach another vitest.
    env: Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^(VITEST|NODE_OPTIONS)/.test(name)),
    ),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      resolve({ code, output });
    });
  });
}

test.skipIf(releasedNode === null)(
  'pure folders and the server keep their promises under Node 24',
  async () => {
    const { code, output } = await runSuites(String(releasedNode), SUITES);
    const verdict = output.trimEnd().split('\n').at(-1);
    expect(verdict, output.slice(-20_000)).toMatch(/^[1-9]\d{2,} passed, 0 failed/);
    expect(code).toBe(0);
  },
);
