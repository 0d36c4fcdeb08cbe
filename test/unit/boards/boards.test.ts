import { readFileSync, readdirSync, statSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ruleFile } from '../../../charts/generate/alerts/rule-groups.ts';
import { BOARDS } from '../../../charts/generate/dashboards/boards.ts';
import type { Board, Target } from '../../../charts/generate/dashboards/panel.ts';
import { renderBoard } from '../../../charts/generate/dashboards/render-board.ts';
import { REFERENCE_ONLY } from '../../../charts/generate/dashboards/reference-only.ts';
import { SERVER_METRICS } from '../../../crds/metrics/catalogue.ts';
import { OPERATOR_METRICS } from '../../../crds/metrics/operator-catalogue.ts';
import { FAMILIES, originOf, type FamilyKey } from '../../../charts/generate/queries/families.ts';
import { interpolate } from '../../boards/ask-board.ts';
import { BOARD_FOLDER, panelsOf, readBoard } from './built-board.ts';
import { selectorsOf, syntaxFaults } from './promql.ts';

// Rules of ours on the files of the chart; those of the public linter are in linter.test.ts.

/** Panels of a board: more are not read. */
const MAX_PANELS = 25;

const targetsOf = (board: Board): readonly Target[] =>
  board.rows.flatMap(({ panels }) => panels.flatMap(({ targets }) => targets));

/** Alerts, and on boards about services what the operator counts over all of them. */
function isOfAll(metric: string, { uid }: Board): boolean {
  const keys = Object.keys(FAMILIES) as FamilyKey[];
  const origin = originOf(keys.find((key) => FAMILIES[key].name === familyOf(metric))!);
  return origin === 'alerts' || (origin === 'operator' && uid !== 'layercache-operator');
}

const familyOf = (metric: string): string => metric.replace(/_(bucket|count|sum)$/, '');
const known = new Set<string>(Object.values(FAMILIES).map(({ name }) => name));
const counters = new Set<string>(
  Object.values(FAMILIES)
    .filter(({ type }) => type === 'counter')
    .map(({ name }) => name),
);

test('the chart has the four boards, as the code writes them, and no other', () => {
  expect(readdirSync(BOARD_FOLDER).sort()).toEqual(BOARDS.map(({ uid }) => `${uid}.json`).sort());
  for (const board of BOARDS) {
    expect(readFileSync(`${BOARD_FOLDER}/${board.uid}.json`, 'utf8')).toBe(renderBoard(board));
  }
});

describe.each(BOARDS)('$uid', (board) => {
  const built = readBoard(board);
  const panels = panelsOf(built);

  test('is of the classic model, version 42, read-only, refreshed each half minute, over an hour', () => {
    expect(built).toMatchObject({
      ...{ uid: board.uid, schemaVersion: 42, editable: false, refresh: '30s' },
      time: { from: 'now-1h', to: 'now' },
    });
  });

  test('asks one data source, which is a variable, and its other variables take several and all', () => {
    const [source, ...others] = built.templating.list;
    expect(source).toMatchObject({ name: 'datasource', type: 'datasource' });
    for (const variable of others) {
      expect(variable, variable.name).toMatchObject({
        ...{ type: 'query', multi: true, includeAll: true, allValue: '.+' },
        datasource: { uid: '${datasource}' },
      });
    }
    for (const { title, datasource } of panels) {
      expect(datasource?.uid, title).toBe('${datasource}');
    }
  });

  test('has at most 25 panels, each with a title of its own, a description, a unit and a legend', () => {
    expect(panels.length).toBeLessThanOrEqual(MAX_PANELS);
    expect(new Set(panels.map(({ title }) => title)).size).toBe(panels.length);
    for (const { title, description, fieldConfig, targets } of panels) {
      expect(title).toMatch(/^[A-Z]/);
      expect(description, title).toMatch(/^.{20,}[.]$/);
      expect(fieldConfig?.defaults.unit, title).toBeTruthy();
      expect(targets?.length, title).toBeGreaterThan(0);
      for (const { legendFormat } of targets ?? []) expect(legendFormat, title).not.toBe('');
    }
  });

  test('has two open rows, the others folded, and no panel over another', () => {
    const rows = built.panels.filter(({ type }) => type === 'row');
    expect(rows.map(({ collapsed }) => collapsed)).toEqual(rows.map((_, i) => i >= 2));
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, i) => `${x + (i % w)} ${y + Math.floor(i / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    for (const { gridPos, title } of panels) expect(gridPos.x + gridPos.w, title).toBeLessThan(25);
    expect(new Set(built.panels.map(({ id }) => id)).size).toBe(built.panels.length);
  });

  test('has queries that parse, name known metrics, and narrow them by the variables', () => {
    const queries = [...targetsOf(board), ...board.annotations.map(({ target }) => target)];
    for (const { expr } of queries) {
      expect(syntaxFaults(interpolate(expr)), expr).toEqual([]);
      for (const { metric, text } of selectorsOf(interpolate(expr))) {
        expect(known.has(familyOf(metric)), metric).toBe(true);
        if (!isOfAll(metric, board)) expect(text).toContain('namespace=~".+"');
      }
    }
  });

  test('shows no counter raw, and no rate over a fixed short range', () => {
    for (const { expr } of targetsOf(board)) {
      for (const name of counters) {
        for (const [before] of expr.matchAll(new RegExp(`.{0,9}\\b${name}\\b`, 'g'))) {
          expect(before, expr).toMatch(/(rate|increase)\(/);
        }
      }
      for (const [, range] of expr.matchAll(/\[([^\]]+)\]/g)) {
        expect(['$__rate_interval', '1h'], expr).toContain(range);
      }
    }
  });

  test('quantiles come from buckets summed by le', () => {
    for (const { expr } of targetsOf(board)) {
      for (const [, by] of expr.matchAll(/histogram_quantile\([^,]+, sum by \(([^)]+)\)/g)) {
        expect(by).toMatch(/^le\b/);
      }
      const quantiles = expr.split('histogram_quantile').length;
      expect(expr.split(/histogram_quantile\([\d.]+, sum by \(le/).length).toBe(quantiles);
    }
  });
});

test('each metric is on a board, in an alert, or named as reference only, with the reason', () => {
  const rules = ruleFile().groups.flatMap(({ rules: list }) => list.map(({ expr }) => expr));
  const texts = [...BOARDS.flatMap((board) => targetsOf(board).map(({ expr }) => expr)), ...rules];
  const used = new Set(
    texts.flatMap((text) => selectorsOf(interpolate(text)).map(({ metric }) => familyOf(metric))),
  );
  const all = { ...SERVER_METRICS, ...OPERATOR_METRICS };
  const unused = Object.entries(all)
    .filter(([, { name }]) => !used.has(name))
    .map(([key]) => key);
  expect(unused.sort()).toEqual(Object.keys(REFERENCE_ONLY).sort());
});

test('the reference names every panel, and its pictures are there', () => {
  const file = 'charts/layercache/docs/dashboards.md';
  const text = readFileSync(file, 'utf8');
  for (const { uid, rows } of BOARDS) {
    for (const { title, description } of rows.flatMap(({ panels }) => panels)) {
      expect(text).toContain(`| ${title} | ${description} |`);
    }
    expect(statSync(`charts/layercache/docs/images/${uid}.png`).size).toBeLessThan(300_000);
  }
});
