// The TensorFlow.js export of the example by its own commands, in a clone and a new environment of Python: what lies in the repository comes of it.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { openShell, type Shell } from '../../cluster/docs/shell.ts';
import { blockText } from '../../unit/docs/documents.ts';

const EXAMPLE = 'server/examples/fashion-mnist/README.md';
const MODEL = 'server/examples/fashion-mnist/tfjs_graph_model';
const DEADLINE_MS = 1_800_000;
const { stdout } = spawnSync('python3', ['-c', 'import sys, venv; print(sys.version)'], {
  encoding: 'utf8',
});
const isMissing = !stdout.startsWith('3.11.');
if (isMissing) {
  process.stderr.write(
    '\nSKIPPED: the TensorFlow.js export of the example: python3 is not 3.11 with its venv module\n',
  );
}

describe.skipIf(isMissing)('the TensorFlow.js export of the example', () => {
  let shell: Shell | undefined;
  afterAll(() => {
    shell?.close();
  });

  test(
    'gives the graph and the weights of the repository again',
    async () => {
      shell = openShell({ isClone: true, deadlineMs: DEADLINE_MS });
      const made = join(shell.folder, MODEL);
      const environment = 'python3 -m venv "$HOME/python"\nPATH="$HOME/python/bin:$PATH"';
      const inFolder = `cd ${MODEL}\nrm model.json *.bin\ncd ..`;
      const block = blockText(`${EXAMPLE}#the-tensorflowjs-export`);
      await shell.run(`${environment}\n${inFolder}\n${block}`);
      expect(readdirSync(made).sort()).toEqual(readdirSync(MODEL).sort());
      // The formatter lays the lines of the one in the repository out anew.
      const graphs = [made, MODEL].map(
        (folder) => JSON.parse(readFileSync(join(folder, 'model.json'), 'utf8')) as unknown,
      );
      expect(graphs[0]).toEqual(graphs[1]);
      const [weights = ''] = readdirSync(MODEL).filter((name) => name.endsWith('.bin'));
      const isSame = readFileSync(join(made, weights)).equals(readFileSync(join(MODEL, weights)));
      expect(isSame).toBe(true);
    },
    DEADLINE_MS,
  );
});
