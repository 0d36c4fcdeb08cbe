import { BLOCK_RULES } from './block-rules.ts';
import type { CachedModelService } from './cached-model-service.ts';
import { MODEL_RULES } from './model-rules.ts';
import type { Rule, TransitionRule } from './rule.ts';
import { SPEC_RULES } from './spec-rules.ts';

/** Every rule between fields of a service, in the order of api.md 4. */
export const SERVICE_RULES: readonly Rule<CachedModelService>[] = [
  ...SPEC_RULES,
  ...MODEL_RULES,
  ...BLOCK_RULES,
];

function modelNameOf({ spec, metadata }: CachedModelService): string {
  return spec.modelName ?? metadata.name;
}

const celModelName = (object: string): string =>
  `(has(${object}.spec.modelName) ? ${object}.spec.modelName : ${object}.metadata.name)`;

/** Writing the name that was computed before is no change. */
export const SERVICE_TRANSITION_RULES: readonly TransitionRule<CachedModelService>[] = [
  {
    path: '',
    fieldPath: '.spec.modelName',
    cel: `${celModelName('self')} == ${celModelName('oldSelf')}`,
    message: 'modelName cannot change: create a new CachedModelService',
    holds: (now, before) => modelNameOf(now) === modelNameOf(before),
  },
];
