// Failures of the installation, with tools of our own on the path. The real one runs before the tests (.ci/run), and what it makes
// is tested in test/http/engine/tfjs-node.test.ts.
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { installTensorFlow } from '../../../../operator/engines/install-tensorflow.ts';
import { RECIPE, RECIPE_DIGEST } from '../../../../operator/engines/recipe.ts';
import { engineFolder } from '../../../../server/core/tensorflow/engine-files.ts';
import { engineFolder as engineHere } from '../../../support/native-tensorflow.ts';

let dir = '';
let engines = '';

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'layercache-install-'));
  engines = join(dir, 'engines');
  mkdirSync(join(dir, 'tools'));
});

afterEach(() => {
  rmSync(dir, { recursive: true });
});

/** A program on the path. */
function tool(name: string, script: string): void {
  const path = join(dir, 'tools', name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
}

function goodTools(): void {
  for (const name of ['python3', 'npm', 'c++']) tool(name, 'exit 0');
}

interface Given {
  readonly wheel?: string;
  readonly from?: string;
  readonly interrupt?: AbortController;
}

function install({ wheel, from, interrupt }: Given = {}) {
  return installTensorFlow({
    wheel: wheel ?? null,
    from: from ?? null,
    again: false,
    environment: { PATH: join(dir, 'tools'), LAYERCACHE_ENGINES_DIR: engines },
    interrupt: (interrupt ?? new AbortController()).signal,
    // Said before the first long step.
    print: () => interrupt?.abort(),
  });
}

async function expectRefusal(pattern: RegExp, given?: Given): Promise<void> {
  await expect(install(given)).rejects.toMatchObject({
    code: 'EngineInstallFailed',
    message: expect.stringMatching(pattern) as string,
  });
}

function somethingElse(): string {
  const file = join(dir, 'other.whl');
  writeFileSync(file, 'something else');
  return file;
}

test('all tools that are missing are told at once, before anything is fetched', async () => {
  await expectRefusal(
    /lacks python3 with pip, npm, a C\+\+ compiler \(c\+\+\)\. Install that .*apt-get install python3-pip g\+\+/,
  );
  for (const name of ['python3', 'npm']) tool(name, 'exit 0');
  await expectRefusal(/lacks a C\+\+ compiler \(c\+\+\)\./);
});

test('without the network, the last words of pip and another way are told', async () => {
  goodTools();
  tool(
    'python3',
    '[ "$3" = --version ] || { echo "ERROR: no matching distribution" >&2; exit 1; }',
  );
  await expectRefusal(
    /pip does not bring tensorflow-cpu 2\.19\.1: ERROR: no matching distribution\. Check the network .*--wheel FILE/,
  );
});

test('pip is asked for the pinned digest alone', async () => {
  goodTools();
  tool(
    'python3',
    '[ "$3" = --version ] || { for last; do case "$last" in *requirements.txt) read -r line < "$last"; echo "error: $line" >&2;; esac; done; exit 1; }',
  );
  await expectRefusal(
    new RegExp(`tensorflow-cpu==2\\.19\\.1 --hash=sha256:${RECIPE.wheel.sha256}`),
  );
});

test('a wheel or an archive with another digest is never unpacked', async () => {
  goodTools();
  await expectRefusal(/other\.whl has the digest [0-9a-f]{64}, and 0b6d72bd/, {
    wheel: somethingElse(),
  });
});

test('a wheel that is not there is told as such', async () => {
  goodTools();
  await expectRefusal(/none\.whl does not exist/, { wheel: join(dir, 'none.whl') });
});

test('a folder that cannot be made is told with the variable that names another', async () => {
  goodTools();
  writeFileSync(engines, 'a file');
  await expectRefusal(/engines exists already\. .*LAYERCACHE_ENGINES_DIR/);
});

test('an interruption leaves nothing behind', async () => {
  goodTools();
  tool('python3', '[ "$3" = --version ] || exec /bin/sleep 60');
  const interrupt = new AbortController();
  await expect(install({ interrupt })).rejects.toThrow(/it was interrupted\. Run it again\./);
  expect(readdirSync(engines)).toEqual([]);
});

test('whatever fails, what was there stays and nothing else does', async () => {
  goodTools();
  const folder = engineFolder(engines, process.platform, process.arch);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'engine.json'), '{"an older": "one"}');
  await expectRefusal(/other\.whl has the digest/, { wheel: somethingElse() });
  expect(readdirSync(engines)).toEqual([`tfjs-node-${process.platform}-${process.arch}`]);
  expect(readdirSync(folder)).toEqual(['engine.json']);
});

test('an engine of this recipe is not made again, and no tool is needed to see it', async () => {
  const folder = engineFolder(engines, process.platform, process.arch);
  mkdirSync(folder, { recursive: true });
  const mark = { tensorflow: '2.19.1', 'tfjs-node': '4.22.0', recipe: RECIPE_DIGEST };
  writeFileSync(join(folder, 'engine.json'), JSON.stringify(mark));
  expect(await install()).toEqual({ folder, wasThere: true });
});

test('a package whose script has not run is not taken', async () => {
  const from = join(dir, 'tfjs-node');
  await expectRefusal(/tfjs-node is no @tensorflow\/tfjs-node with a library and an addon\./, {
    from,
  });
  mkdirSync(from);
  const manifest = { name: '@tensorflow/tfjs-node', version: '4.22.0' };
  writeFileSync(join(from, 'package.json'), JSON.stringify(manifest));
  await expectRefusal(/npm rebuild @tensorflow\/tfjs-node --ignore-scripts=false/, { from });
  expect(readdirSync(engines)).toEqual([]);
});

test.skipIf(engineHere === null)('a package whose script has run is taken as it is', async () => {
  const from = join(dir, 'tfjs-node');
  const [addon, libraries] = [join(from, 'lib', 'napi-v8'), join(from, 'deps', 'lib')];
  for (const folder of [addon, libraries]) mkdirSync(folder, { recursive: true });
  const manifest = { name: '@tensorflow/tfjs-node', version: '4.21.0' };
  writeFileSync(join(from, 'package.json'), JSON.stringify(manifest));
  // Found by where the libraries lie, as in the published package.
  for (const name of ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2']) {
    symlinkSync(join(engineHere!, name), join(libraries, name));
  }
  copyFileSync(join(engineHere!, 'tfjs_binding.node'), join(addon, 'tfjs_binding.node'));
  const { folder, wasThere } = await install({ from });
  expect(wasThere).toBe(false);
  expect(JSON.parse(readFileSync(join(folder, 'engine.json'), 'utf8'))).toEqual({
    tensorflow: '2.19.1',
    'tfjs-node': '4.21.0',
    recipe: 'adopted',
  });
});
