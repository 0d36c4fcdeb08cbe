import { beforeAll, describe, expect, test } from 'vitest';
import { BOARDS } from '../../charts/generate/dashboards/boards.ts';
import { SCENARIOS, type Scenario } from '../../charts/generate/dashboards/panel.ts';
import { askAnnotations, askPanels, askVariables, faultsOf } from './ask-board.ts';
import { panelsOf, readBoard } from '../unit/boards/built-board.ts';
import { prometheusMissing } from './prometheus.ts';
import { replayAlerts } from './replayed-alerts.ts';
import type { Interval } from './script-clock.ts';
import { playRun, type ScriptedRun } from './scripted-run.ts';

/** What goes wrong in the run, and nothing else: see `scripted-run.ts`. */
const EXPECTED_ALERTS = [
  ...['BudgetBurn', 'BudgetBurnFast', 'EngineRestarting', 'LatencyHigh', 'PolicyRejected'],
  ...['RolloutAborted', 'SavingsNegative'],
];

describe.skipIf(prometheusMissing !== null)('in a run through everything that can happen', () => {
  let run: ScriptedRun;
  beforeAll(async () => {
    run = await playRun();
    return () => run.close();
  }, 1_500_000);

  test.each(BOARDS)('every panel of $uid answers, and plausibly', async (board) => {
    const faults = (await askPanels(board, run)).flatMap(faultsOf);
    expect(faults).toEqual([]);
  });

  test('the board about the operator shows no other pods', async () => {
    const board = BOARDS.find(({ uid }) => uid === 'layercache-operator')!;
    const answers = (await askPanels(board, run)).flatMap((panel) => panel.answers);
    const pods = answers.flatMap(({ samples }) => samples.map(({ metric }) => metric.pod));
    expect([...new Set(pods)].filter((pod) => pod !== undefined).sort()).toEqual([
      'operator-0',
      'operator-1',
    ]);
  });

  test.each(BOARDS)('what is asked of $uid is what the file in the chart asks', (board) => {
    const asked = board.rows.flatMap(({ panels }) =>
      panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
    );
    const written = panelsOf(readBoard(board)).flatMap(({ targets = [] }) =>
      targets.map(({ expr }) => expr),
    );
    expect(asked).toEqual(written);
  });

  test.each(BOARDS)('every variable of $uid has values', async (board) => {
    for (const { name, values } of await askVariables(board, run.prometheus)) {
      expect(values.length, name).toBeGreaterThan(0);
    }
  });

  test.each(BOARDS)('every annotation of $uid has an event', async (board) => {
    const { prometheus, intervals } = run;
    const intervalOf = (scenario: Scenario): Interval => intervals[scenario];
    for (const { name, samples, faults } of await askAnnotations(board, prometheus, intervalOf)) {
      expect(samples.length, name).toBeGreaterThan(0);
      expect(faults).toEqual([]);
    }
  });

  test('each scenario that a panel or annotation may name was played', () => {
    expect(Object.keys(run.intervals).sort()).toEqual([...SCENARIOS].sort());
  });

  test('the rules fire the alerts that the run names, and no other', async () => {
    expect(await replayAlerts(run)).toEqual(EXPECTED_ALERTS);
  });
});
