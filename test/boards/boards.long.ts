import { beforeAll, describe, expect, test } from 'vitest';
import { BOARDS } from '../../charts/generate/dashboards/boards.ts';
import { askAnnotations, askPanels, askVariables, faultsOf } from './ask-board.ts';
import { prometheusMissing } from './prometheus.ts';
import { playRun, type ScriptedRun } from './scripted-run.ts';

/** What goes wrong in the run, and nothing else: see `scripted-run.ts`. */
const EXPECTED_ALERTS = ['BudgetBurnFast', 'EngineRestarting', 'PolicyRejected', 'RolloutAborted'];

describe.skipIf(prometheusMissing !== null)('in a run through everything that can happen', () => {
  let run: ScriptedRun;
  beforeAll(async () => {
    run = await playRun();
    return () => run.close();
  }, 300_000);

  test.each(BOARDS)('every panel of $uid answers, and plausibly', async (board) => {
    const faults = (await askPanels(board, run)).flatMap(faultsOf);
    expect(faults).toEqual([]);
  });

  test.each(BOARDS)('every variable of $uid has values', async (board) => {
    for (const { name, values } of await askVariables(board, run.prometheus)) {
      expect(values.length, name).toBeGreaterThan(0);
    }
  });

  test.each(BOARDS)('every annotation of $uid has an event', async (board) => {
    const { prometheus, intervals } = run;
    for (const { name, samples } of await askAnnotations(board, prometheus, intervals)) {
      expect(samples.length, name).toBeGreaterThan(0);
    }
  });

  test('the alerts that the run names fire', () => {
    expect(run.fired).toEqual(expect.arrayContaining(EXPECTED_ALERTS));
  });
});
