import { readFileSync } from 'node:fs';
import { alertGroups, alertName } from '../../charts/generate/alerts/rule-groups.ts';
import { timeScale } from '../../charts/generate/alerts/time-scale.ts';
import { BOARDS } from '../../charts/generate/dashboards/boards.ts';
import type { Panel } from '../../charts/generate/dashboards/panel.ts';
import { askPanel, interpolate, valuesOf } from './ask-board.ts';
import type { Prometheus, Sample } from './prometheus.ts';
import type { Interval } from './script-clock.ts';

/** What a person on call reads: the panels that a runbook names in its diagnosis, and the queries that it has them copy. */
export interface RunbookReader {
  readonly text: string;
  /** The most that each line of a panel showed in the interval, by its legend; a line without a value is not there. */
  readonly panel: (title: string, interval: Interval) => Promise<ReadonlyMap<string, number>>;
  /** Series of the query that begins so, as they are now. */
  readonly query: (words: string) => Promise<readonly Sample[]>;
}

const ALERTS = alertGroups(timeScale()).flatMap(({ alerts }) => alerts);

/** @throws when the runbook does not send a person there: a panel that it does not name helps nobody */
export function readRunbook(alert: string, prometheus: Prometheus): RunbookReader {
  const text = readFileSync(`charts/layercache/runbooks/${alert}.md`, 'utf8');
  const { board } = ALERTS.find((one) => alertName(one) === alert)!;
  return {
    text,
    panel: async (title, interval) => {
      if (!text.includes(`*${title}*`))
        throw new Error(`the runbook of ${alert} names no ${title}`);
      const { answers } = await askPanel(panelOf(title, board), prometheus, interval);
      return new Map(
        answers.flatMap(({ target, samples }) =>
          samples.flatMap((sample) => lineOf(target.legend, sample)),
        ),
      );
    },
    query: async (words) => {
      const [, query] =
        [...text.matchAll(/`([^`]+)`/g)].find(([, code]) => code!.startsWith(words)) ?? [];
      if (query === undefined) throw new Error(`the runbook of ${alert} has no query ${words}`);
      return prometheus.at(interpolate(query), Date.now() / 1000);
    },
  };
}

/** The board of the alert first: some titles are on two. */
function panelOf(title: string, board: string): Panel {
  const boards = BOARDS.toSorted((a, b) => Number(b.uid === board) - Number(a.uid === board));
  const panels = boards.flatMap(({ rows }) => rows.flatMap((row) => row.panels));
  return panels.find((panel) => panel.title === title)!;
}

function lineOf(legend: string, sample: Sample): readonly [string, number][] {
  const name = legend.replace(/\{\{(\w+)\}\}/g, (_, label: string) => String(sample.metric[label]));
  const shown = valuesOf([sample]);
  return shown.length === 0 ? [] : [[name, Math.max(...shown)]];
}
