// What is mutated, by which tests it is to be killed, and how much of it must be.

/** Share of mutants that tests kill at least; what survives is read, and stands in MUTATION.md. */
const STRONG = 0.85;
/** No survivor but those that change nothing, each with its reason in explained.mjs. */
const ALL = 1;

const core = (...names) => names.map((name) => `test/unit/server/core/${name}.test.ts`);
const lifecycle = (...names) => names.map((name) => `test/unit/operator/lifecycle/${name}.test.ts`);

const wire = (...names) => names.map((name) => `test/unit/crds/wire/${name}.test.ts`);

/** Of server/core/detection what has a part in an answer or in its loss; precision is measured for people. */
const DECIDING_ON_OBJECTS = [
  'box',
  'f1-loss',
  'frame-distance',
  'frame-memory',
  'heat-map',
  'match-boxes',
  'previous-frame',
  'suppress',
];

export const TARGETS = {
  'exit comparison': {
    mutate: ['server/core/decide.ts', 'server/core/leaving.ts'],
    tests: core('decide', 'evidence', 'leaving', 'loss-evidence'),
    least: ALL,
  },
  'fail-safes of a server': {
    mutate: ['server/core/breaker.ts', 'server/safety.ts'],
    tests: [...core('breaker'), 'test/unit/server/safety*.test.ts'],
    least: ALL,
  },
  'what a server lets answer': {
    mutate: ['server/serving.ts'],
    tests: ['test/unit/server/serving.test.ts'],
    least: STRONG,
  },
  'fail-safes of the operator': {
    mutate: [
      'operator/lifecycle/switch-off.ts',
      'operator/lifecycle/alarm.ts',
      'operator/lifecycle/starvation.ts',
      'operator/lifecycle/lost-evidence.ts',
      'operator/lifecycle/policy-content.ts',
    ],
    tests: lifecycle(
      'fail-safes',
      'serving',
      'stages',
      'stage-events',
      'training',
      'shadowing',
      'ramping',
      'pinned',
      'alarm-distance',
      'lost-evidence',
      'policy-content',
    ),
    least: ALL,
  },
  certificate: {
    mutate: [
      'server/core/certificate.ts',
      'server/core/binomial.ts',
      'server/core/bounded-loss.ts',
      'server/core/agreement.ts',
    ],
    tests: [
      ...core('certificate', 'binomial', 'bounded-loss', 'agreement'),
      'test/unit/operator/stats/fixed-sequence.test.ts',
    ],
    least: STRONG,
  },
  'counted evidence': {
    mutate: ['server/core/evidence.ts', 'server/core/loss-evidence.ts', 'crds/wire/row-order.ts'],
    tests: [...core('evidence', 'loss-evidence'), ...wire('samples', 'inputs')],
    least: STRONG,
  },
  'detected objects': {
    mutate: DECIDING_ON_OBJECTS.map((name) => `server/core/detection/${name}.ts`),
    tests: [...DECIDING_ON_OBJECTS, 'comparison-values'].map(
      (name) => `test/unit/server/core/detection/${name}.test.ts`,
    ),
    least: STRONG,
  },
  detector: {
    mutate: ['server/core/detector.ts'],
    tests: core('detector'),
    least: STRONG,
  },
  statistics: {
    mutate: ['operator/stats/*.ts'],
    tests: ['test/unit/operator/stats/*.test.ts'],
    least: STRONG,
  },
  'policy parser': {
    mutate: ['crds/wire/policy.ts'],
    tests: ['test/unit/crds/wire/policy.test.ts'],
    least: STRONG,
  },
  plans: {
    mutate: ['operator/plan/*.ts'],
    tests: ['test/unit/operator/plan/*.test.ts', 'test/unit/operator/plan/status/*.test.ts'],
    least: STRONG,
  },
};
