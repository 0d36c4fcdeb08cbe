import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { THRESHOLDS } from '../../../charts/generate/alerts/recorded.ts';
import { alertGroups, alertName, ruleFile } from '../../../charts/generate/alerts/rule-groups.ts';
import { timeScale } from '../../../charts/generate/alerts/time-scale.ts';
import { BOARDS } from '../../../charts/generate/dashboards/boards.ts';
import { FAMILIES } from '../../../charts/generate/queries/families.ts';

const FOLDER = 'charts/layercache/runbooks';
const NAMES = alertGroups(timeScale()).flatMap(({ alerts }) => alerts.map(alertName));
const SECTIONS = ['Meaning', 'Impact', 'Diagnosis', 'Mitigation'];
/** Text that says nothing is no help at three in the morning. */
const MIN_LENGTH = 20;

const textOf = (name: string): string => readFileSync(join(FOLDER, `${name}.md`), 'utf8');
const allOf = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].map(([, found]) => String(found));

test('there is a runbook for each alert, and none for an alert that is not there', () => {
  expect(readdirSync(FOLDER).sort()).toEqual(NAMES.map((name) => `${name}.md`).sort());
});

test.each(NAMES)('the runbook of %s has its four sections, none empty', (name) => {
  const [title = '', ...sections] = textOf(name).split('\n## ');
  expect(title.trim()).toBe(`# ${name}`);
  expect(sections.map((section) => section.split('\n')[0])).toEqual(SECTIONS);
  for (const section of sections) {
    const [heading, ...body] = section.split('\n');
    expect(body.join(' ').trim().length, heading).toBeGreaterThan(MIN_LENGTH);
  }
});

test.each(NAMES)('links of the runbook of %s lead to files that are there', (name) => {
  const links = allOf(textOf(name), /\]\(([^)]+)\)/g);
  expect(links.length).toBeGreaterThan(0);
  for (const link of links) expect(existsSync(join(FOLDER, link)), link).toBe(true);
});

test.each(NAMES)(
  'what the runbook of %s names is there: panels, metrics, fields, values',
  (name) => {
    const text = textOf(name);
    const titles = BOARDS.flatMap(({ rows }) =>
      rows.flatMap((row) => [row.title, ...row.panels.map((panel) => panel.title)]),
    );
    for (const title of allOf(text, /(?<!\*)\*([A-Z][^*]+)\*(?!\*)/g))
      expect(titles).toContain(title);
    const metrics: readonly string[] = Object.values(FAMILIES).map((family) => family.name);
    for (const metric of allOf(text, /\b(layercache_[a-z_]+)/g)) expect(metrics).toContain(metric);
    const fields = readFileSync('charts/layercache/docs/manifest.md', 'utf8');
    for (const field of allOf(text, /`(spec\.[\w.]+)/g)) expect(fields).toContain(`\`${field}\``);
    for (const limit of allOf(text, /alerts\.thresholds\.(\w+)/g)) {
      expect(Object.keys(THRESHOLDS)).toContain(limit);
    }
  },
);

test('each alert names its runbook in the chart, and no address that somebody guessed', () => {
  const rules = ruleFile().groups.flatMap(({ rules: list }) => list);
  for (const rule of rules) {
    if ('alert' in rule) expect(rule.annotations.runbook_url).toBe(`runbooks/${rule.alert}.md`);
  }
});

test('links of the alert reference lead to files that are there', () => {
  const file = 'charts/layercache/docs/alerts.md';
  for (const link of allOf(readFileSync(file, 'utf8'), /\]\(([^)]+)\)/g)) {
    expect(existsSync(join(dirname(file), link)), link).toBe(true);
  }
});
