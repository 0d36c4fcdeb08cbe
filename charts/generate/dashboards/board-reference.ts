import { tableRow } from '../../../crds/generate/table-row.ts';
import type { Board, Row } from './panel.ts';

/** What each board shows, for people who have no Grafana at hand. */
export function renderBoardReference(boards: readonly Board[]): string {
  return [...INTRODUCTION, ...boards.flatMap(sectionOf)].join('\n');
}

function sectionOf({ uid, title, description, variables, rows }: Board): string[] {
  const names = variables.map(({ label }) => label.toLowerCase()).join(', ');
  return [
    `## ${title}`,
    '',
    `${description} Narrowed by ${names}. \`files/dashboards/${uid}.json\``,
    '',
    `![Preview of ${title}](images/${uid}.png)`,
    '',
    '| row | panel | what it shows |',
    '| --- | --- | --- |',
    ...rows.flatMap(linesOf),
    '',
  ];
}

function linesOf({ title, panels }: Row): string[] {
  return panels.map((panel, i) => tableRow([i === 0 ? title : '', panel.title, panel.description]));
}

const INTRODUCTION = [
  '# Dashboards',
  '',
  'Generated from `charts/generate/dashboards`; do not edit. They come with the chart value `dashboards.enabled: true`: one ConfigMap',
  'for each board, labelled for the sidecar of Grafana, and GrafanaDashboard objects with `dashboards.grafanaOperator.enabled: true`.',
  'Without either, import the files of `files/dashboards`. They ask one Prometheus, which is a variable, and need no rules.',
  '',
  'The pictures are previews, not Grafana: `npm run preview:dashboards` draws what a real Prometheus answers to the queries of the',
  'boards in a run of two model servers on the bundled example and the operator, through refusals, rollouts, a violated budget, an',
  'alarm and killed engines.',
  '',
];
