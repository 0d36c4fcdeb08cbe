// The first commands of the README, word for word, as somebody types them who has just cloned the repository: packages come from the
// registry into an empty cache, the page answers while the example runs, and the run ends with a certificate.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { reportSchema } from '../../../operator/local/report/report-schema.ts';
import { openShell, PACKAGES_OF_THE_MACHINE } from '../../cluster/docs/shell.ts';
import { eventually } from '../../support/eventually.ts';
import { blockText } from '../../unit/docs/documents.ts';

const README = 'README.md';
/** Half an hour on an idle machine of two cores; other work may share them. */
const DEADLINE_MS = 5_400_000;
const cache = mkdtempSync(join(tmpdir(), 'layercache-empty-'));
const shell = openShell({
  ...{ isClone: true, deadlineMs: DEADLINE_MS },
  environment: {
    // npm tells its scripts where its cache is, and this may be one of them.
    npm_config_cache: cache,
    XDG_CACHE_HOME: '',
    ...PACKAGES_OF_THE_MACHINE,
  },
});
afterAll(() => {
  shell.close();
  rmSync(cache, { recursive: true });
});

const [start = '', tests = '', ...more] = blockText(`${README}#layercache`)
  .trim()
  .split('\n')
  .map((line) => line.replace(/ +#.*/, ''));

test('the block has two commands', () => {
  expect([start.includes('npm start'), tests.includes('npm test'), more]).toEqual([true, true, []]);
});

test(
  'from a clone to a page, a certificate and a report',
  async () => {
    const place = join(shell.folder, 'progress.txt');
    const ended = shell.run(`exec 2> progress.txt\n${start}`);
    const asked = eventually(async () => {
      const [, url = ''] = /^dashboard (http:\/\/127\.0\.0\.1:\d+)/m.exec(
        readFileSync(place, 'utf8'),
      )!;
      const page = await fetch(url);
      expect((await page.text()).startsWith('<!doctype html>')).toBe(true);
    }, DEADLINE_MS);
    const [said] = await Promise.all([ended, asked]);
    const [folder = ''] = /layercache-report\/\S+(?=\/report\.json)/.exec(said) ?? [];
    const text = readFileSync(join(shell.folder, folder, 'report.json'), 'utf8');
    const report = reportSchema.parse(JSON.parse(text));
    expect(report).toMatchObject({ complete: true, errors: { count: 0 } });
    expect(report.certificate).toMatchObject({ epsilon: 0.01, delta: 0.05 });
    expect(report.serving.netMacsSavedRatio).toBeGreaterThan(0.3);
  },
  DEADLINE_MS,
);

test(
  'tests run; these are those of one folder, since all take as long as they do everywhere',
  async () => {
    expect(await shell.run(`${tests} -- test/unit/crds`)).toMatch(/\d+ passed, 0 failed/);
  },
  DEADLINE_MS,
);

test(
  'the programs are compiled and bundled, and the command line starts',
  async () => {
    await shell.run('rm -r dist');
    await shell.block(`${README}#your-own-model/2`);
    expect(await shell.run('npx layercache --version')).toMatch(/^\d+\.\d+\.\d+/);
  },
  DEADLINE_MS,
);
