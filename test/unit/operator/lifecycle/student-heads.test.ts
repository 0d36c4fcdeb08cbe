import { expect, test } from 'vitest';
import { activeExits } from '../../../../operator/lifecycle/heads.ts';
import { aBackbone, anExit } from '../../../support/builders.ts';

test('a student is active though no spec names it; what follows it is cut as ever', () => {
  const exits = [anExit('early'), { ...anExit('late', 0.8), mode: 'Shadow' as const }];
  const backbone = aBackbone({ exits });
  expect(activeExits(['student', 'early', 'late'], backbone)).toEqual(['student', 'early']);
  expect(activeExits(['student'], backbone)).toEqual(['student']);
  expect(activeExits(['late', 'student'], backbone)).toEqual([]);
});
