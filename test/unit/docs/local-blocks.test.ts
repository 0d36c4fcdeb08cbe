// Blocks that need no cluster.
import { afterAll, describe, expect, test } from 'vitest';
import { openShell } from '../../cluster/docs/shell.ts';
import { promtoolMissing } from '../../support/promtool.ts';

const shell = openShell();
afterAll(() => {
  shell.close();
});

describe.skipIf(promtoolMissing !== null)('promtool', () => {
  test('finds nothing wrong with the rules that are shipped as a file', async () => {
    const said = await shell.block('charts/layercache/docs/install.md#settings/2');
    expect(said).toMatch(/SUCCESS: \d+ rules found/);
  });
});
