import { celMatches } from './bounded-text.ts';
import { BYTE_SIZE_PATTERN } from './byte-size.ts';
import type { CachedModelService, CachedModelServiceSpec } from './cached-model-service.ts';
import { PERCENT_PATTERN } from './percent.ts';
import { optionalPlace, rulesAt, type Rule, type RuleRow } from './rule.ts';

/** Rules inside one block of the spec. */

type Spec = CachedModelServiceSpec;

function isUnset(value: unknown): boolean {
  return value === undefined;
}

function isZero(value: number | string | undefined): boolean {
  return value === 0 || value === '0%';
}

const celIsZero = (field: string): string => `(${field} == 0 || ${field} == '0%')`;

const share = (step: string): string => `double(${step}.share.replace('%', ''))`;

/** CEL has no index in `all`; the list holds at most 10 steps. A malformed share has its own message. */
const CEL_SHARES_RISE =
  `!self.all(s, ${celMatches('s.share', PERCENT_PATTERN)}) ||` +
  ` [1, 2, 3, 4, 5, 6, 7, 8, 9].all(i, i >= self.size() || ${share('self[i]')} > ${share('self[i - 1]')})`;

const AT_MOST_1024_MI: RuleRow<number> = {
  cel: `!${celMatches('self', BYTE_SIZE_PATTERN)} || quantity(self).compareTo(quantity('1024Mi')) <= 0`,
  message: 'must be at most 1024Mi',
  fix: 'write a smaller size',
  holds: (bytes) => bytes <= 2 ** 30,
};

const headRules = [
  ...rulesAt(
    {
      path: 'spec.heads.store',
      places: ({ spec }: CachedModelService) =>
        optionalPlace(['spec', 'heads', 'store'], spec.heads.store),
    },
    [
      {
        cel: '[has(self.configMap), has(self.s3), has(self.oci)].filter(x, x).size() == 1',
        message: 'set exactly one of configMap, s3, oci',
        fix: 'keep one of them',
        holds: ({ configMap, s3, oci }) =>
          [configMap, s3, oci].filter((kind) => !isUnset(kind)).length === 1,
      },
    ],
  ),
  ...rulesAt(
    {
      path: 'spec.rollout.steps',
      places: ({ spec }: CachedModelService) =>
        optionalPlace(['spec', 'rollout', 'steps'], spec.rollout.steps),
    },
    [
      {
        cel: CEL_SHARES_RISE,
        message: 'shares must rise from step to step',
        fix: 'sort the steps by share',
        holds: (steps) => steps.every((step, i) => step.share > (steps[i - 1]?.share ?? 0)),
      },
      {
        cel: "self.size() == 0 || self[self.size() - 1].share == '100%'",
        message: 'the last step must be 100%',
        fix: 'end with share: 100%',
        holds: (steps) => steps.at(-1)?.share === 1,
      },
    ],
  ),
];

const serverRules = [
  ...rulesAt<CachedModelService, Spec['server']['batching']>(
    {
      path: 'spec.server.batching',
      places: ({ spec }) => [[['spec', 'server', 'batching'], spec.server.batching]],
    },
    [
      {
        cel: 'self.maxQueueLength >= self.maxBatchSize',
        message: 'maxQueueLength must be at least maxBatchSize',
        fix: 'raise maxQueueLength or lower maxBatchSize',
        holds: (batching) => batching.maxQueueLength >= batching.maxBatchSize,
      },
    ],
  ),
  ...rulesAt<CachedModelService, number>(
    {
      path: 'spec.server.limits.maxRequestSize',
      places: ({ spec }) => [
        [['spec', 'server', 'limits', 'maxRequestSize'], spec.server.limits.maxRequestSize],
      ],
    },
    [AT_MOST_1024_MI],
  ),
  ...rulesAt<CachedModelService, number>(
    {
      path: 'spec.heads.training.inputs.maxSize',
      places: ({ spec }) => [
        [['spec', 'heads', 'training', 'inputs', 'maxSize'], spec.heads.training.inputs.maxSize],
      ],
    },
    [AT_MOST_1024_MI],
  ),
];

const countRules = [
  ...rulesAt(
    {
      path: 'spec.autoscaling',
      places: ({ spec }: CachedModelService) =>
        optionalPlace(['spec', 'autoscaling'], spec.autoscaling),
    },
    [
      {
        cel: 'self.minReplicas <= self.maxReplicas',
        message: 'minReplicas must not be above maxReplicas',
        fix: 'raise maxReplicas or lower minReplicas',
        holds: ({ minReplicas, maxReplicas }) => minReplicas <= maxReplicas,
      },
    ],
  ),
  ...rulesAt<CachedModelService, Spec['updateStrategy']>(
    {
      path: 'spec.updateStrategy',
      places: ({ spec }) => [[['spec', 'updateStrategy'], spec.updateStrategy]],
    },
    [
      {
        cel: "self.type != 'Recreate' || (!has(self.maxSurge) && !has(self.maxUnavailable))",
        message: 'maxSurge and maxUnavailable have no effect with Recreate: remove them',
        holds: (s) => s.type !== 'Recreate' || (isUnset(s.maxSurge) && isUnset(s.maxUnavailable)),
      },
      {
        cel: `!(has(self.maxSurge) && ${celIsZero('self.maxSurge')} && has(self.maxUnavailable) && ${celIsZero('self.maxUnavailable')})`,
        message: 'maxSurge and maxUnavailable cannot both be 0',
        fix: 'raise one of them',
        holds: (s) => !(isZero(s.maxSurge) && isZero(s.maxUnavailable)),
      },
    ],
  ),
  ...rulesAt<CachedModelService, Spec['podDisruptionBudget']>(
    {
      path: 'spec.podDisruptionBudget',
      places: ({ spec }) => [[['spec', 'podDisruptionBudget'], spec.podDisruptionBudget]],
    },
    [
      {
        cel: '!(has(self.minAvailable) && has(self.maxUnavailable))',
        message: 'set only one of minAvailable, maxUnavailable',
        fix: 'remove one of them',
        holds: (budget) => isUnset(budget.minAvailable) || isUnset(budget.maxUnavailable),
      },
      {
        cel: "self.mode != 'Disabled' || (!has(self.minAvailable) && !has(self.maxUnavailable))",
        message: 'minAvailable and maxUnavailable have no effect with mode Disabled: remove them',
        holds: (budget) =>
          budget.mode !== 'Disabled' ||
          (isUnset(budget.minAvailable) && isUnset(budget.maxUnavailable)),
      },
    ],
  ),
];

const networkRules = rulesAt<CachedModelService, Spec['networkPolicy']>(
  {
    path: 'spec.networkPolicy',
    places: ({ spec }) => [[['spec', 'networkPolicy'], spec.networkPolicy]],
  },
  [
    {
      cel: "(has(self.mode) && self.mode == 'Enabled') || (!has(self.from) && !has(self.egress))",
      message: 'from and egress have no effect unless mode is Enabled: remove them or set it',
      holds: (policy) =>
        policy.mode === 'Enabled' || (isUnset(policy.from) && isUnset(policy.egress)),
    },
  ],
);

export const BLOCK_RULES: readonly Rule<CachedModelService>[] = [
  ...headRules,
  ...serverRules,
  ...countRules,
  ...networkRules,
];
