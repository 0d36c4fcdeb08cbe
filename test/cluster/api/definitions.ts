import { readFileSync } from 'node:fs';

import { parse } from 'yaml';

import { eventually } from '../../support/eventually.ts';
import type { ApiRequest } from '../harness/api-request.ts';

type Json = Readonly<Record<string, unknown>>;

export const DEFINITION_FILES = [
  'crds/layercache.io_cachedmodelservices.yaml',
  'crds/layercache.io_cacheheadrevisions.yaml',
] as const;

const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

/** The committed definitions as kubectl reads them. */
export function committedDefinitions(): Json[] {
  return DEFINITION_FILES.map(
    (path) => parse(readFileSync(path, 'utf8'), { version: '1.1' }) as Json,
  );
}

function nameOf(definition: Json): string {
  return (definition.metadata as { name: string }).name;
}

/** Applies a definition and waits until objects of it are served. */
export async function applyDefinition(request: ApiRequest, definition: Json): Promise<void> {
  const name = nameOf(definition);
  const { status, body } = await request({
    method: 'PATCH',
    path: `${DEFINITIONS}/${name}?fieldManager=test&force=true&fieldValidation=Strict`,
    contentType: 'application/apply-patch+yaml',
    body: definition,
  });
  if (status !== 200 && status !== 201) {
    throw new Error(`${name}: ${status} ${JSON.stringify(body).slice(0, 2000)}`);
  }
  const [plural] = name.split('.');
  await eventually(async () => {
    const answer = await request({
      path: `/apis/layercache.io/v1alpha1/${String(plural)}?limit=1`,
    });
    if (answer.status !== 200) throw new Error(`${name} is not served: ${answer.status}`);
  });
}

/** A copy of a definition without any `x-kubernetes-validations`. */
export function withoutRules(definition: Json): Json {
  const strip = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(strip);
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value)
      .filter(([key]) => key !== 'x-kubernetes-validations')
      .map(([key, inner]) => [key, strip(inner)] as const);
    return Object.fromEntries(entries);
  };
  return strip(definition) as Json;
}
