// The TensorFlow.js export of the example, served and certified by the command that its page tells.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { reportSchema } from '../../../operator/local/report/report-schema.ts';
import { openShell } from '../../cluster/docs/shell.ts';
import { blockText } from '../../unit/docs/documents.ts';

const EXAMPLE = 'server/examples/fashion-mnist/README.md';
const FOLDER = dirname(EXAMPLE);
/** Ten minutes on idle processors. */
const DEADLINE_MS = 3_600_000;
const shell = openShell({ isClone: true, deadlineMs: DEADLINE_MS });
afterAll(() => {
  shell.close();
});

test(
  'gets a certificate of its own, and saves',
  async () => {
    const block = blockText(`${EXAMPLE}#the-tensorflowjs-export/2`);
    const said = await shell.run(`cd ${FOLDER}\n${block}`);
    const [folder = ''] = /layercache-report\/\S+(?=\/report\.json)/.exec(said) ?? [];
    const text = readFileSync(join(shell.folder, FOLDER, folder, 'report.json'), 'utf8');
    const report = reportSchema.parse(JSON.parse(text));
    expect(report).toMatchObject({ complete: true, errors: { count: 0 } });
    expect(report.engine.kind).toBe('tfjs-wasm');
    expect(report.certificate).toMatchObject({ epsilon: 0.01, delta: 0.05 });
    expect(report.serving.netMacsSavedRatio).toBeGreaterThan(0.3);
  },
  DEADLINE_MS,
);
