import type { z } from 'zod';

import { cacheHeadRevision } from '../../../../crds/v1alpha1/cache-head-revision.ts';
import { cachedModelService } from '../../../../crds/v1alpha1/cached-model-service.ts';
import { HEAD_REVISION_RULES } from '../../../../crds/v1alpha1/head-revision-rules.ts';
import { headRevisionStatus } from '../../../../crds/v1alpha1/head-revision-status.ts';
import type { Rule } from '../../../../crds/v1alpha1/rule.ts';
import { SERVICE_RULES } from '../../../../crds/v1alpha1/rules.ts';
import { serviceStatus } from '../../../../crds/v1alpha1/service-status.ts';
import { formatPath } from '../../../../crds/wire/json.ts';

export type Kind = 'cachedmodelservices' | 'cacheheadrevisions';

/** What is wrong with an object: either its shape, or the rules that it breaks. Both empty: accepted. */
export interface Judgement {
  /** Paths of malformed fields. */
  readonly malformed: readonly string[];
  /** `path: message` of broken rules, sorted. */
  readonly broken: readonly string[];
}

const STATUS_SCHEMAS: Readonly<Record<Kind, z.ZodType>> = {
  cachedmodelservices: serviceStatus,
  cacheheadrevisions: headRevisionStatus,
};

function pathsOf(issue: z.core.$ZodIssue): string[] {
  if (issue.code !== 'unrecognized_keys') return [formatPath(issue.path)];
  return issue.keys.map((key) => formatPath([...issue.path, key]));
}

function judgeBy<O extends z.ZodType>(
  schema: O,
  rules: readonly Rule<z.output<O>>[],
  object: unknown,
): Judgement {
  const outcome = schema.safeParse(object);
  if (!outcome.success) return { malformed: outcome.error.issues.flatMap(pathsOf), broken: [] };
  const broken = rules.flatMap((rule) =>
    rule.brokenAt(outcome.data).map((path) => `${formatPath(path)}: ${rule.message}`),
  );
  return { malformed: [], broken: broken.sort() };
}

/** The verdict of the parser and the TypeScript twins on an object without its status. */
export function judge(kind: Kind, object: unknown): Judgement {
  return kind === 'cachedmodelservices'
    ? judgeBy(cachedModelService, SERVICE_RULES, object)
    : judgeBy(cacheHeadRevision, HEAD_REVISION_RULES, object);
}

/** The verdict on a status; paths begin with `status`. */
export function judgeStatus(kind: Kind, status: unknown): Judgement {
  const { malformed } = judgeBy(STATUS_SCHEMAS[kind], [], status);
  return { malformed: malformed.map((path) => `status.${path}`), broken: [] };
}
