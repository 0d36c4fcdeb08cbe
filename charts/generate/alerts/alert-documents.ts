import { stringify } from 'yaml';
import { tableRow } from '../../../crds/generate/table-row.ts';
import { GENERATED } from '../generated-head.ts';
import type { Alert } from './alert.ts';
import { recordingRules, THRESHOLDS } from './recorded.ts';
import { alertGroups, alertName, ruleFile } from './rule-groups.ts';
import { timeScale } from './time-scale.ts';

/** Path in the chart -> content. */
export function alertFiles(): Record<string, string> {
  return {
    'files/alerts/rules.yaml': `${GENERATED}${stringify(ruleFile(), { lineWidth: 0 })}`,
    'docs/alerts.md': renderAlertReference(),
  };
}

function renderAlertReference(): string {
  const scale = timeScale();
  const groups = alertGroups(scale).flatMap(({ title, alerts }) => [
    `## ${title}`,
    '',
    '| alert | severity | for | what | runbook |',
    '| --- | --- | --- | --- | --- |',
    ...alerts.map(row),
    '',
  ]);
  const limits = Object.entries(THRESHOLDS).map(([name, value]) =>
    tableRow([`\`${name}\``, String(value), `\`layercache:threshold:${name}\``]),
  );
  const rules = recordingRules(scale)
    .filter(({ record }) => !record.startsWith('layercache:threshold:'))
    .map(({ record, expr }) => tableRow([`\`${record}\``, `\`${expr}\``]));
  return [
    ...INTRODUCTION,
    ...groups,
    '## Limits',
    '',
    'Set them under `alerts.thresholds`.',
    '',
    '| name | value | rule |',
    '| --- | --- | --- |',
    ...limits,
    '',
    '## Recording rules',
    '',
    '| rule | expression |',
    '| --- | --- |',
    ...rules,
    '',
  ].join('\n');
}

function row(alert: Alert): string {
  const { severity, forMinutes, description } = alert;
  const name = alertName(alert);
  const text = description.replaceAll(/\{\{.*?\}\}/g, '(value)');
  const wait = forMinutes === 0 ? '-' : `${forMinutes} min`;
  return tableRow([name, severity, wait, text, `[${name}.md](../runbooks/${name}.md)`]);
}

const INTRODUCTION = [
  '# Alerts',
  '',
  'Generated from `charts/generate/alerts`; do not edit. They come with the chart value `alerts.enabled: true`, as one',
  'PrometheusRule; `files/alerts/rules.yaml` is the same for a Prometheus without its operator.',
  '',
  "The objective: over 30 days the loss is at most `maxDisagreement`, the budget. An answer that differs from the backbone's loses 1;",
  'where `accuracy.agreement` is F1, 1 - F1 of its boxes. In each window the loss is (what audited answers of exits lose / their',
  'number) x (rows that exits answered / all rows). Pages want a long window that is surely over (95 % confidence, at least 30 audited',
  'answers) and a short one that still is. The detector switches exits off within minutes, so a page means that this did not help.',
  '',
  'Each alert has a `runbook_url` and a `dashboard_url`. They are paths, `runbooks/<alert>.md` and `/d/<board>`, until',
  '`alerts.runbookBaseUrl` and `alerts.dashboardBaseUrl` say where your people read them.',
  '',
];
