// A known limit that a run meets only after all its looks, in real processes on a small model. `npm run test:long` builds first.
import { rmSync } from 'node:fs';
import { afterAll, describe, test } from 'vitest';
import { expectLimits } from './expect-limits.ts';
import { workplace, type Workplace } from './local-run.ts';

const MINUTES = 60_000;

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function aPlace(options: Parameters<typeof workplace>[0]): Workplace {
  const place = workplace(options);
  folders.push(place.folder);
  return place;
}

describe('a person who follows a run to its verdict is told', () => {
  test(
    'of a budget that nothing meets: these rows are too few even without a disagreement',
    async () => {
      const accuracy = '{maxDisagreement: 0.01%, minAudits: 300}';
      const place = aPlace({ rows: 12_000, accuracy });
      const limits = { NotCertified: 'No exit keeps the disagreement within the budget of 0.01%.' };
      await expectLimits(place, [], limits, 8 * MINUTES);
    },
    10 * MINUTES,
  );
});
