import { readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

import { renderOperatorRules } from '../../../charts/generate/operator-rules-file.ts';

test("the rights in the chart are those of the operator's table", () => {
  const committed = readFileSync('charts/layercache/files/operator-rules.json', 'utf8');
  expect(committed).toBe(renderOperatorRules());
});
