import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { REFUSED_FOR_LOAD, SERVER_FAULTS } from '../../../charts/generate/alerts/refusal-codes.ts';
import {
  alertGroups,
  alertName,
  ruleFile,
  type RuleFile,
} from '../../../charts/generate/alerts/rule-groups.ts';
import { timeScale } from '../../../charts/generate/alerts/time-scale.ts';
import { ERRORS } from '../../../server/errors.ts';
import { promtoolMissing, testRules } from '../../support/promtool.ts';
import { ACCURACY_CASES } from './accuracy-cases.ts';
import type { AlertCase } from './alert-case.ts';
import { OPERATOR_CASES } from './operator-cases.ts';
import { SERVING_CASES } from './serving-cases.ts';

const RULES = 'charts/layercache/files/alerts/rules.yaml';
const ALERTS = alertGroups(timeScale()).flatMap(({ alerts }) => alerts);
const CASES: readonly AlertCase[] = [...ACCURACY_CASES, ...SERVING_CASES, ...OPERATOR_CASES];

test('the rules of the chart are those of the code', () => {
  expect(parse(readFileSync(RULES, 'utf8'))).toEqual(JSON.parse(JSON.stringify(ruleFile())));
});

test('each alert has a firing, a quiet and a thin-data case', () => {
  for (const { name } of ALERTS) {
    const kinds = new Set(CASES.filter(({ alert }) => alert === name).map(({ kind }) => kind));
    expect([...kinds].sort(), name).toEqual(['firing', 'quiet', 'thin']);
  }
  const known = new Set(ALERTS.map(({ name }) => name));
  expect(CASES.filter(({ alert }) => !known.has(alert))).toEqual([]);
});

test('each alert says what, why and where to look, and waits unless its window does', () => {
  for (const group of ruleFile().groups) {
    for (const rule of group.rules) {
      if (!('alert' in rule)) continue;
      const { summary, description, runbook_url, dashboard_url } = rule.annotations;
      expect(summary, rule.alert).toMatch(/^[A-Z].+\.$/);
      expect(description, rule.alert).toMatch(/^.{40,}[.)]$/);
      expect(runbook_url).toMatch(new RegExp(`/${rule.alert}\\.md$`));
      expect(dashboard_url).toMatch(/^\/d\/layercache-(fleet|service|rollout|operator)(\?var-|$)/);
      expect(rule.labels.severity).toMatch(/^(critical|warning|info)$/);
    }
  }
});

test('codes that count as the fault of the server are its 5xx, those of load its 429', () => {
  const codesOf = (isMeant: (status: number) => boolean): string[] =>
    Object.entries(ERRORS)
      .filter(([, { status }]) => isMeant(status))
      .map(([code]) => code)
      .sort();
  expect([...SERVER_FAULTS, 'draining'].sort()).toEqual(codesOf((status) => status >= 500));
  expect([...REFUSED_FOR_LOAD].sort()).toEqual(codesOf((status) => status === 429));
});

describe.skipIf(promtoolMissing !== null)('by promtool', () => {
  test('the rules are valid', () => {
    const { status, stderr } = spawnSync('promtool', ['check', 'rules', RULES]);
    expect(status, stderr.toString()).toBe(0);
  });

  test('every alert fires in its firing cases and in no other', () => {
    const cases = ALERTS.map(({ name }) => {
      const rules = rulesOf(alertName({ name }));
      const tests = CASES.filter(({ alert }) => alert === name).map(toTest);
      return [name, { rules, tests }] as const;
    });
    const { status, report } = testRules(Object.fromEntries(cases));
    expect(status === 0 ? '' : report).toBe('');
  });
});

const RULE_LIST = ruleFile().groups.flatMap(({ rules }) => rules);

/** One alert with the rules that it rests on: all of them would be evaluated for each minute of each case. */
function rulesOf(name: string): RuleFile {
  const found = new Set<(typeof RULE_LIST)[number]>();
  const add = (rule: (typeof RULE_LIST)[number]): void => {
    if (found.has(rule)) return;
    found.add(rule);
    for (const other of RULE_LIST) {
      if ('record' in other && new RegExp(`${other.record}\\b`).test(rule.expr)) add(other);
    }
  };
  add(RULE_LIST.find((rule) => 'alert' in rule && rule.alert === name)!);
  // Without its texts: promtool compares them whole, and they are checked above.
  const rules = RULE_LIST.filter((rule) => found.has(rule)).map((rule) =>
    'alert' in rule ? { ...rule, annotations: {} as never } : rule,
  );
  return { groups: [{ name: 'one', interval: '1m', rules }] };
}

function toTest(one: AlertCase): object {
  const name = alertName({ name: one.alert });
  const { severity } = ALERTS.find((alert) => alert.name === one.alert)!;
  const firing = one.kind === 'firing' ? [{ exp_labels: { severity, ...one.labels } }] : [];
  return {
    name: `${name} ${one.kind}: ${one.scene}`,
    interval: '1m',
    input_series: Object.entries(one.series).map(([series, values]) => ({ series, values })),
    alert_rule_test: [{ eval_time: `${one.atMinutes}m`, alertname: name, exp_alerts: firing }],
  };
}
