import type { FaultChapter } from './catalogue.ts';
import type { FaultRow } from './fault-row.ts';

/** The page of verdicts: a table a chapter. */
export function renderCatalogue(chapters: readonly FaultChapter[]): string {
  const rows = chapters.flatMap(({ rows }) => Object.values(rows));
  const count = (verdict: string): number =>
    rows.filter((row) => verdictOf(row).startsWith(verdict)).length;
  return `# faults

Every fault that Layercache is built for, and the tests that make it happen: ${rows.length} rows, of which ${count('holds')} hold, ${count('in part')} hold in part, and ${count('cannot happen')} cannot happen.
\`npm test\` fails when a row or a test that is named here is missing, and when a test fails. Files in *italics* belong to \`npm run test:long\`; its last run: [LONG.md](../LONG.md).

This page is written from \`catalogue/\` by \`npx vitest run --config test/vitest.config.ts test/faults/catalogue -u\`.
${chapters.map(renderChapter).join('')}`;
}

function renderChapter({ title, rows }: FaultChapter): string {
  const lines = Object.entries(rows).map(
    ([id, row]) => `| ${id} | ${row.fault} | ${verdictOf(row)} | ${row.holds} | ${filesOf(row)} |`,
  );
  return `
## ${title}

| id | fault | verdict | what holds | tests |
| --- | --- | --- | --- | --- |
${lines.join('\n')}
`;
}

function verdictOf({ impossible, open }: FaultRow): string {
  if (impossible !== undefined) return `cannot happen: ${impossible}`;
  return open === undefined ? 'holds' : `in part; not shown: ${open}`;
}

function filesOf({ tests = {} }: FaultRow): string {
  return Object.entries(tests)
    .map(([file, titles]) => {
      const mark = file.endsWith('.long.ts') ? '*' : '';
      const link = `${mark}[${file.replace(/\.(?:test|long)\.ts$/, '')}](../${file})${mark}`;
      return titles.length === 1 ? link : `${link} (${titles.length})`;
    })
    .join(', ');
}
