import type { z } from 'zod';

import { formatPath, showValue, valueAt } from '../wire/json.ts';
import type { Result } from '../wire/result.ts';
import { cacheHeadRevision, type CacheHeadRevision } from './cache-head-revision.ts';
import { cachedModelService, type CachedModelService } from './cached-model-service.ts';
import { HEAD_REVISION_RULES } from './head-revision-rules.ts';
import type { Rule } from './rule.ts';
import { SERVICE_RULES } from './rules.ts';

/**
 * Objects as the API server holds them, read by the controller. Everything that the API server checks is checked again:
 * an object may be older than a rule, or stored while the definition was stripped.
 */

/** A condition's message holds 1,024 characters; problems beyond these are told once the first are gone. */
const MAX_PROBLEMS = 4;
const MAX_VALUE = 200;

function describeProblems(problems: readonly string[]): string {
  const shown = problems.slice(0, MAX_PROBLEMS).map((text) => text.slice(0, MAX_VALUE));
  const rest = problems.length - shown.length;
  return rest > 0 ? `${shown.join('; ')}; and ${rest} more` : shown.join('; ');
}

function invalid(problems: readonly string[]): Result<never> {
  return { ok: false, code: 'InvalidSpec', message: describeProblems(problems) };
}

function readObject<O extends z.ZodType>(
  schema: O,
  rules: readonly Rule<z.output<O>>[],
  object: unknown,
): Result<z.output<O>> {
  const outcome = schema.safeParse(object);
  if (!outcome.success) {
    return invalid(
      outcome.error.issues.map(
        ({ path, message }) =>
          `${formatPath(path)}: ${showValue(valueAt(object, path))}: ${message}`,
      ),
    );
  }
  const { data } = outcome;
  const broken = rules.flatMap((rule) =>
    rule.brokenAt(data).map((path) => `${formatPath(path)}: ${rule.message}`),
  );
  return broken.length > 0 ? invalid(broken) : { ok: true, value: data };
}

/** A CachedModelService that keeps every bound and rule, or `InvalidSpec` with the fields to fix. Never throws. */
export function readService(object: unknown): Result<CachedModelService> {
  return readObject(cachedModelService, SERVICE_RULES, object);
}

/** A CacheHeadRevision that keeps every bound and rule, or `InvalidSpec` with the fields to fix. Never throws. */
export function readHeadRevision(object: unknown): Result<CacheHeadRevision> {
  return readObject(cacheHeadRevision, HEAD_REVISION_RULES, object);
}
