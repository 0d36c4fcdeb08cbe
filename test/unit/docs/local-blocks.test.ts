// Blocks that need no cluster.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { openShell } from '../../cluster/docs/shell.ts';
import { promtoolMissing } from '../../support/promtool.ts';
import { blockText } from './documents.ts';

const INSTALL = 'charts/layercache/docs/install.md';
const shell = openShell();
afterAll(() => {
  shell.close();
});

describe.skipIf(promtoolMissing !== null)('promtool', () => {
  test('takes the job that scrapes without the operator of Prometheus', async () => {
    const block = blockText(`${INSTALL}#prometheus-without-its-operator`);
    const discovery = 'kubernetes_sd_configs: [{role: pod}]';
    expect(block).toContain(discovery);
    // Debian builds Prometheus without what finds pods.
    writeFileSync(
      join(shell.folder, 'prometheus.yml'),
      block.replace(discovery, 'static_configs: []'),
    );
    expect(await shell.run('promtool check config prometheus.yml')).toContain('SUCCESS');
  });

  test('finds nothing wrong with the rules that are shipped as a file', async () => {
    const said = await shell.block(`${INSTALL}#prometheus-without-its-operator/2`);
    expect(said).toMatch(/SUCCESS: \d+ rules found/);
  });
});
