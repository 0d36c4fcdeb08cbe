// The example's backbone trained again by its own commands, in a clone and a new environment of Python: as good a model of the same graph.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { openShell, PACKAGES_OF_THE_MACHINE, type Shell } from '../../cluster/docs/shell.ts';
import { pythonMissing } from '../clients/python-environment.ts';
import { blockText } from '../../unit/docs/documents.ts';

const EXAMPLE = 'server/examples/fashion-mnist/README.md';
const FOLDER = dirname(EXAMPLE);
/** A quarter of an hour on two idle processors, and packages of some gigabytes. */
const DEADLINE_MS = 5_400_000;
describe.skipIf(pythonMissing !== null)('training the example again', () => {
  let shell: Shell | undefined;
  afterAll(() => {
    shell?.close();
  });

  test(
    'gives the same split, a model of the same cuts, and the accuracy that is told',
    async () => {
      shell = openShell({
        ...{ isClone: true, deadlineMs: DEADLINE_MS },
        environment: PACKAGES_OF_THE_MACHINE,
      });
      const made = join(shell.folder, FOLDER);
      const before = await shell.run(`npx layercache inspect ${FOLDER}/backbone.onnx`);
      const environment = 'python3 -m venv "$HOME/python"\nPATH="$HOME/python/bin:$PATH"';
      const block = blockText(`${EXAMPLE}#training-again`);
      const said = await shell.run(`${environment}\ncd ${FOLDER}\nrm backbone.onnx\n${block}`);
      const split = (folder: string): string => readFileSync(join(folder, 'split.json'), 'utf8');
      expect(split(made)).toBe(split(FOLDER));
      const [, accuracy = ''] = /accuracy on \d+ traffic rows (0\.\d+)/.exec(said) ?? [];
      // 0.9128 is told; two standard errors of 50,000 rows are 0.0025, and a second training differs in more than its last digits.
      expect(Number(accuracy)).toBeGreaterThan(0.905);
      const after = await shell.run(`npx layercache inspect ${FOLDER}/backbone.onnx`);
      const cuts = (text: string): string[] => text.match(/\bblock\d +\d+\.\d%/g) ?? [];
      expect(cuts(before).length).toBeGreaterThan(5);
      expect(cuts(after)).toEqual(cuts(before));
    },
    DEADLINE_MS,
  );
});
