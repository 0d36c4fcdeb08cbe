// Known limits in real runs: on the terminal, on the page while the run goes on, and in the report. `npm run build` (or
// operator/bundle/bundle.mjs) comes first. All six, on all three, from their figures: test/browser/notices.test.ts.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { pageStateSchema, type PageState } from '../../../operator/local/page/state/page-state.ts';
import { renderStatement } from '../../../operator/local/view/screen.ts';
import { eventually } from '../../support/eventually.ts';
import { uncuttableNet } from '../../support/onnx-models/networks.ts';
import { finished } from './drill-run.ts';
import { npy, startCli, type Workplace } from './local-run.ts';
import { texturePlace } from './texture-place.ts';

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

type Statement = PageState['statements'][number];

/** Follows a run until the page has shown these limits, ends it, and holds terminal and report against the page. */
async function expectLimits(
  place: Workplace,
  flags: readonly string[],
  limits: Readonly<Record<string, string>>,
): Promise<void> {
  folders.push(place.folder);
  const words = ['local', 'run', '-f', place.manifest, '--traffic', place.traffic];
  const started = startCli([...words, '--report', 'out', ...flags], place.folder);
  try {
    const url = await eventually(() => {
      const found = /^dashboard (http\S+)$/m.exec(started.stderr())?.[1];
      if (found === undefined) throw new Error(started.stderr());
      return found;
    }, 30_000);
    const shown = await eventually(async () => {
      const state = pageStateSchema.parse(await (await fetch(`${url}/api/state`)).json());
      expect(state.statements.map(({ reason }) => reason).sort()).toEqual(
        Object.keys(limits).sort(),
      );
      return state.statements;
    }, 90_000);
    expectSaid(shown, limits);
    started.kill('SIGINT');
    const report = await finished(place, started, 130);
    expectSaid(report.statements, limits);
    const html = readFileSync(join(place.folder, 'out', 'report.html'), 'utf8');
    for (const { reason, nextStep } of report.statements) {
      expect(html).toContain(`<b>${reason}</b>`);
      expect(html.replaceAll('&#39;', "'").replaceAll('&quot;', '"')).toContain(nextStep);
    }
    // Once as the run met it, and once more in the summary.
    for (const statement of shown) expect(started.stderr()).toContain(renderStatement(statement));
    for (const statement of report.statements) {
      expect(started.stdout()).toContain(renderStatement(statement));
    }
  } finally {
    started.kill('SIGKILL');
  }
}

function expectSaid(
  statements: readonly Statement[],
  limits: Readonly<Record<string, string>>,
): void {
  for (const [reason, text] of Object.entries(limits)) {
    expect(statements.find((statement) => statement.reason === reason)?.message).toContain(text);
  }
}

describe('a person who follows a run is told', () => {
  test('of a backbone that cannot be cut, and of a stream that loops', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'layercache-limits-'));
    writeFileSync(join(folder, 'model.onnx'), uncuttableNet().bytes);
    const rows = 64;
    const pixels = Uint8Array.from({ length: rows * 192 }, (_, i) => (i * 37 + (i >> 5)) % 251);
    writeFileSync(join(folder, 'rows.npy'), npy([rows, 8, 8, 3], pixels));
    const manifest = join(folder, 'service.yaml');
    writeFileSync(
      manifest,
      `apiVersion: layercache.io/v1alpha1
kind: CachedModelService
metadata: {name: uncut}
spec:
  backbone: {uri: "file:model.onnx"}
  accuracy: {maxDisagreement: 5%}
`,
    );
    const place = { folder, manifest, traffic: `npy:${join(folder, 'rows.npy')}` };
    await expectLimits(place, ['--loop', '--rate', '100'], {
      NoExits: 'The backbone cannot be cut: none of its tensors can hold an exit',
      StreamRepeats: 'The stream repeats since request 65:',
    });
  }, 120_000);

  test('of too little traffic', async () => {
    const place = texturePlace({ head: 600, first: 900, fresh: 0 });
    await expectLimits(place, ['--head-traffic', place.headTraffic, '--rate', '50'], {
      InsufficientSamples: 'The stream has 900 rows that may be evidence, and the first look takes',
    });
  }, 120_000);
});
