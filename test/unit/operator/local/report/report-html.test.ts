import { describe, expect, test } from 'vitest';
import { FORMATS, type FormatName } from '../../../../../operator/local/page/state/format.ts';
import { renderReport } from '../../../../../operator/local/report/html/render-report.ts';
import { reportSchema, type Report } from '../../../../../operator/local/report/report-schema.ts';
import { aReport } from '../../../../browser/scripted-report.ts';

function figuresOf(page: string): { at: string; as: FormatName; text: string }[] {
  const pattern = /data-at="([^"]+)" data-as="([^"]+)">([^<]*)</g;
  return [...page.matchAll(pattern)].map(([, at = '', as = '', text = '']) => ({
    at,
    as: as as FormatName,
    text,
  }));
}

function valueAt(report: Report, path: string): number | null {
  const value = path
    .split('.')
    .reduce<unknown>((inner, key) => (inner as Record<string, unknown> | null)?.[key], report);
  return (value ?? null) as number | null;
}

const barelyBegun = aReport({
  certificate: null,
  complete: false,
  latencyByExit: {},
  history: [],
  alarms: [],
  rollouts: [],
  drills: [],
  statements: [],
  serving: {
    requests: 0,
    optedOutShare: 0,
    exitShare: {},
    auditedDisagreement: { n: 0, k: 0, upper: 1 },
    trueDisagreement: null,
    netMacsSavedRatio: null,
    netTimeSavedRatio: null,
    latencyMs: { backbone: null, layercache: null },
    meanLatencySavedRatio: null,
    accuracy: null,
  },
});

describe('report.html', () => {
  test.each([
    ['of a run in which everything happened', aReport()],
    ['of a run that never served', barelyBegun],
  ])('%s shows the figures of its report.json', (_, report) => {
    expect(reportSchema.parse(report)).toEqual(report);
    const figures = figuresOf(renderReport(report));
    expect(figures.length).toBeGreaterThan(15);
    for (const { at, as, text } of figures) {
      expect(text, at).toBe(FORMATS[as](valueAt(report, at)));
    }
  });

  test('says every decision, drill and limit with its reason', () => {
    const report = aReport();
    const page = renderReport(report);
    for (const { reason } of [...report.alarms, ...report.rollouts, ...report.statements]) {
      expect(page).toContain(reason);
    }
    expect(page).toContain('--drift noise@30000');
    expect(page).toContain('37 of 1,210 served rows wrong');
  });

  test('is one file: it has no script, and names nothing that would be loaded', () => {
    const page = renderReport(aReport());
    expect(page).not.toMatch(
      /<script|<link|<img|<iframe|<object|\bon\w+=|url\(|@import|href=|src=/i,
    );
    expect(page).not.toContain('://');
  });

  test('takes texts as texts, whatever they look like', () => {
    const evil = `"><script>alert('x')</script>&`;
    const page = renderReport(
      aReport({
        service: evil,
        command: evil,
        errors: { count: 1, byCode: { [evil]: 1 } },
        drills: [{ ...aReport().drills[0]!, flag: evil, message: evil }],
        exits: [{ name: evil, tensor: evil, macsShare: 0.1, msShare: 0.1, head: null }],
        run: { ...aReport().run, exitShare: { [evil]: 1 } },
      }),
    );
    expect(page).not.toContain('<script');
    expect(page).toContain('&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;');
  });

  test('keeps its golden file', async () => {
    await expect(renderReport(aReport())).toMatchFileSnapshot('../../../../golden/report.html');
  });
});
