import { expect, onTestFinished, test } from 'vitest';
import { BOARDS } from '../../charts/generate/dashboards/boards.ts';
import type { Board } from '../../charts/generate/dashboards/panel.ts';
import { askPanel, askVariables, faultsOf } from './ask-board.ts';
import { prometheusMissing } from './prometheus.ts';
import { playServing } from './scripted-run.ts';

// The whole script takes more than a minute: `boards.long.ts`.

const panelsAboutExits = BOARDS.flatMap(({ rows }) => rows)
  .flatMap(({ panels }) => panels)
  .filter(({ scenario }) => scenario === 'Exits');

/** On a machine that does ten other things. */
const MOST_MS = 300_000;

const aboutServices = ({ uid }: Board): boolean => uid !== 'layercache-operator';

test.skipIf(prometheusMissing !== null)(
  'servers on the real engine fill every panel about exits, and every variable',
  async () => {
    const { prometheus, exits, close } = await playServing();
    onTestFinished(close);
    expect(panelsAboutExits.length).toBeGreaterThan(4);
    for (const panel of panelsAboutExits) {
      expect(faultsOf(await askPanel(panel, prometheus, exits))).toEqual([]);
    }
    for (const board of BOARDS.filter(aboutServices)) {
      for (const { name, values } of await askVariables(board, prometheus)) {
        expect(values.length, name).toBeGreaterThan(0);
      }
    }
  },
  MOST_MS,
);
