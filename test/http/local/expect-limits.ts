// Follows a run until it has said its limits, and holds terminal, page and report against each other.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { pageStateSchema, type PageState } from '../../../operator/local/page/state/page-state.ts';
import { renderStatement } from '../../../operator/local/view/screen.ts';
import { eventually } from '../../support/eventually.ts';
import { finished } from './drill-run.ts';
import { startCli, type Workplace } from './local-run.ts';

type Statement = PageState['statements'][number];

/** Follows a run until the page has shown these limits, ends it, and holds terminal and report against the page. */
export async function expectLimits(
  place: Workplace,
  flags: readonly string[],
  limits: Readonly<Record<string, string>>,
  withinMs = 90_000,
): Promise<void> {
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
    }, withinMs);
    expectSaid(shown, limits);
    // The terminal says it once as the run meets it, with the loop's next tick, which may come after the page's; and once more at the end.
    await eventually(() => {
      for (const statement of shown) {
        expect(started.stderr()).toContain(renderStatement(statement));
      }
    }, 10_000);
    started.kill('SIGINT');
    const report = await finished(place, started, 130);
    expectSaid(report.statements, limits);
    const html = readFileSync(join(place.folder, 'out', 'report.html'), 'utf8');
    for (const { reason, nextStep } of report.statements) {
      expect(html).toContain(`<b>${reason}</b>`);
      expect(html.replaceAll('&#39;', "'").replaceAll('&quot;', '"')).toContain(nextStep);
    }
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
