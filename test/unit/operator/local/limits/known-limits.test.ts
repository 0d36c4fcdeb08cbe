import { describe, expect, test } from 'vitest';
import { lastVerdict } from '../../../../../operator/local/explain-missing.ts';
import { knownLimits, type LimitFacts } from '../../../../../operator/local/limits/known-limits.ts';
import { renderStatement } from '../../../../../operator/local/view/screen.ts';
import type { Decision } from '../../../../../operator/lifecycle/types.ts';
import { aState } from '../../../crds/documents.ts';

/** A run that meets no limit. */
function facts(changes: Partial<LimitFacts> = {}): LimitFacts {
  return {
    model: aState(),
    exits: 3,
    isDisabled: false,
    budget: 0.01,
    agreement: 'Strict',
    firstLookRows: 1_000,
    evidenceRows: 40_000,
    repeatsFrom: null,
    plain: { n: 5_000, right: 4_600 },
    areExitsOn: false,
    verdict: null,
    missing: null,
    ...changes,
  };
}

function decision(reason: Decision['reason'], message = 'So it was.'): Decision {
  return { nowMs: 0, reason, message, headRevision: null, details: {} };
}

const said = (changes: Partial<LimitFacts>): string[] =>
  knownLimits(facts(changes)).map(renderStatement);

test('a run that meets no limit says nothing', () => {
  expect(said({})).toEqual([]);
  expect(said({ areExitsOn: true, verdict: decision('NotCertified') })).toEqual([]);
});

describe('what a person reads', () => {
  test('of a model that cannot be cut', () => {
    const model = { cuts: [], rejectedCuts: [{ tensor: 'tokens', reason: 'holds int64' }] };
    expect(said({ exits: 0, model })).toEqual([
      'NoExits: The backbone cannot be cut: none of its tensors can hold an exit (tokens: holds int64). It answers every request itself. `layercache inspect MODEL` lists the tensors with the reason for each.',
    ]);
    expect(said({ exits: 0, model: { cuts: [], rejectedCuts: [] } })[0]).toContain(
      'none of its tensors can hold an exit. It answers',
    );
    expect(said({ exits: 0, model, isDisabled: true })).toEqual([]);
  });

  test('of a manifest without exits', () => {
    expect(said({ exits: 0 })).toEqual([
      'NoExits: The manifest names no exits, although the backbone has 1 possible cuts: it answers every request itself. Remove exits from the manifest to have them chosen, or name some.',
    ]);
  });

  test('of a budget of F1 that nothing meets', () => {
    const [text] = said({ agreement: 'F1', verdict: decision('NotCertified') });
    expect(text).toContain('No exit keeps the F1 loss within the budget of 1%.');
  });

  test('of a budget that nothing meets', () => {
    const verdict = decision(
      'NotCertified',
      'After 10,000 audited rows no lambda is proven within 1%: 310 disagreements at the smallest. Exits stay off.',
    );
    expect(said({ verdict })).toEqual([
      'NotCertified: No exit keeps the disagreement within the budget of 1%. After 10,000 audited rows no lambda is proven within 1%: 310 disagreements at the smallest. Exits stay off. Raise accuracy.maxDisagreement, or bring more rows to train heads on; exits stay off.',
    ]);
  });

  test.each(['NotWorthwhile', 'NotBetter'] as const)('of exits that do not pay (%s)', (reason) => {
    expect(said({ verdict: decision(reason, 'They would save 2%, below 10%.') })).toEqual([
      'NotWorthwhile: Exits do not pay here. They would save 2%, below 10%. Offer earlier exits, lower tuning.minSaving, or leave it: exits stay off.',
    ]);
  });

  test('of too little traffic, before the first row, at the training, and at the end', () => {
    expect(said({ evidenceRows: 430 })).toEqual([
      'InsufficientSamples: The stream has 430 rows that may be evidence, and the first look takes 1,000: nothing can be certified in this run. Bring more distinct rows, or train heads on other rows with --head-traffic.',
    ]);
    expect(said({ verdict: decision('TooFewRows', '300 usable rows.') })).toEqual([
      'InsufficientSamples: There are too few rows to train heads on. 300 usable rows. Bring more distinct rows.',
    ]);
    expect(said({ missing: '600 more requests would bring the first look.' })).toEqual([
      'InsufficientSamples: The rows ended before a certificate. 600 more requests would bring the first look. Bring more distinct rows, or let the run last longer.',
    ]);
    // One reason is said once.
    expect(said({ evidenceRows: 430, missing: 'x' })).toHaveLength(1);
  });

  test('of rows that the backbone seems to have been trained on', () => {
    expect(said({ plain: { n: 12_000, right: 11_988 } })).toEqual([
      'BackboneTrainingRows: The backbone answers 99.90% of 12,000 rows as labelled, as networks do on rows they were trained on. If it was, a certificate from them says too little about fresh rows. Name rows that the backbone has not seen with --traffic, and these with --head-traffic, where they train heads and are never evidence.',
    ]);
    expect(said({ plain: { n: 900, right: 900 } })).toEqual([]);
    expect(said({ plain: { n: 10_000, right: 9_949 } })).toEqual([]);
  });

  test('of a stream that loops', () => {
    expect(said({ evidenceRows: null, repeatsFrom: 50_000 })).toEqual([
      'StreamRepeats: The stream repeats since request 50,000: rows that were sent before are answered and never audited, so neither a certificate nor an alarm can come from them. Bring more distinct rows; the figures under serving count distinct rows only.',
    ]);
  });
});

test.each([
  [
    'the last one',
    ['NotCertified', 'TrainingStarted', 'NotWorthwhile', 'Shadowing'],
    'NotWorthwhile',
  ],
  ['none after a promotion', ['NotCertified', 'RolloutPromoted', 'Alarm'], null],
  ['none before any', ['TrainingStarted'], null],
] as const)('the verdict of a run is %s', (_, reasons, expected) => {
  const decisions = reasons.map((reason) => decision(reason));
  expect(lastVerdict(decisions)?.reason ?? null).toBe(expected);
});
