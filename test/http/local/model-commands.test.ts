import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { checkManifests } from '../../../crds/schema/check-manifests.ts';
import { runCli, type CliResult } from '../../support/run-cli.ts';

const MODEL = 'server/examples/fashion-mnist/backbone.onnx';
const bundleDir = 'dist/bundle';

function cli(...words: string[]): Promise<CliResult> {
  const environment = { PATH: process.env.PATH ?? '', ORT_DISABLE_TELEMETRY: '1' };
  return runCli('', words, { bundleDir, environment });
}

test('init proposes exits of a model in a manifest that is valid', async () => {
  const { out, exitCode } = await cli('init', '--model', MODEL, '--name', 'fashion');
  expect(exitCode).toBe(0);
  const { valid, problems } = checkManifests(out, 'x');
  expect(problems).toEqual([]);
  expect(valid.map(({ name }) => name)).toEqual(['fashion']);
  expect(out.match(/^ {4}- name: /gm)?.length).toBeGreaterThan(2);
  expect(out).toContain(`uri: "file:${MODEL}"`);
});

test('init of a file that is not there, or under a name that no service may have, ends with 2', async () => {
  const missing = await cli('init', '--model', 'none.onnx');
  expect(missing).toMatchObject({ out: '', exitCode: 2 });
  expect(missing.err).toContain('does not exist');
  expect(missing.err).not.toContain('ENOENT');
  const named = await cli('init', '--model', MODEL, '--name', 'No_Name');
  expect(named.exitCode).toBe(2);
  expect(named.err).toContain('[InvalidSpec]');
});

test('serve answers until it is interrupted, and bench measures it with and without exits', async () => {
  const child = spawn(
    process.execPath,
    [`${bundleDir}/layercache.mjs`, 'serve', MODEL, '--port', '0', '--name', 'fashion'],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  try {
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    expect(line).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/v2\/models\/fashion\/infer$/);
    const url = new URL(line).origin;
    const { out, exitCode } = await cli(
      'bench',
      '--url',
      url,
      '--rate',
      '40',
      '--for',
      '500ms',
      '-o',
      'json',
    );
    expect([exitCode, out]).toEqual([0, out]);
    expect(JSON.parse(out)).toMatchObject({
      ...{ schemaVersion: 1, kind: 'Bench', model: 'fashion', sent: 20, isNoise: true },
      ...{ statuses: { '200': 20 }, exits: { backbone: 10 } },
    });
    child.kill('SIGINT');
    const [code] = (await once(child, 'exit')) as [number];
    expect(code).toBe(130);
  } finally {
    child.kill('SIGKILL');
  }
});

test('export writes the files of the chart as they are, and definitions that the chart has', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'layercache-export-'));
  try {
    for (const what of ['dashboards', 'alerts']) {
      const { out, exitCode } = await cli('export', what, join(folder, what));
      const source = `charts/layercache/files/${what}`;
      const names = readdirSync(source).sort();
      expect(exitCode).toBe(0);
      expect(out).toBe(names.map((name) => `${join(folder, what, name)}\n`).join(''));
      for (const name of names)
        expect(readFileSync(join(folder, what, name), 'utf8')).toBe(
          readFileSync(join(source, name), 'utf8'),
        );
    }
    await cli('export', 'crds', folder);
    expect(readFileSync(join(folder, 'cachedmodelservices.layercache.io.yaml'), 'utf8')).toBe(
      readFileSync('crds/layercache.io_cachedmodelservices.yaml', 'utf8'),
    );
    const refused = await cli('export', 'alerts', join(folder, 'alerts', 'rules.yaml', 'below'));
    expect(refused.exitCode).toBe(1);
    expect(refused.err).toContain('[FolderUnwritable]');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
