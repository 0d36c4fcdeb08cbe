import { readdirSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { isRecord } from '../../operator/kube/same-fields.ts';
import type { KindName } from '../../operator/kube/kinds.ts';

/** As much of OpenAPI as merging, defaults and pruning need. A node without properties is open. */
export interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly required?: readonly string[];
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly 'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map';
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-map-type'?: 'atomic' | 'granular';
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
  readonly 'x-kubernetes-int-or-string'?: boolean;
}

/** What the simulation knows of a kind. */
export interface SimulatedKind {
  readonly schema: Schema;
  readonly isCustom: boolean;
  readonly hasStatus: boolean;
  readonly hasGeneration: boolean;
}

const STRINGS: Schema = { type: 'object', additionalProperties: { type: 'string' } };
const ATOM: Schema = { type: 'object', 'x-kubernetes-map-type': 'atomic' };
const OPEN: Schema = {};
const byKeys = (items: Schema, ...keys: string[]): Schema => ({
  type: 'array',
  items,
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': keys,
});
const record = (properties: Readonly<Record<string, Schema>>): Schema => ({
  type: 'object',
  properties,
  'x-kubernetes-preserve-unknown-fields': true,
});

const METADATA: Schema = record({
  labels: STRINGS,
  annotations: STRINGS,
  ownerReferences: byKeys(ATOM, 'uid'),
  finalizers: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
});
const CONDITIONS = record({ conditions: byKeys(OPEN, 'type') });
const CONTAINERS = byKeys(
  record({
    env: byKeys(OPEN, 'name'),
    ports: byKeys(OPEN, 'containerPort', 'protocol'),
    volumeMounts: byKeys(OPEN, 'mountPath'),
    resources: record({ limits: OPEN, requests: OPEN, claims: byKeys(OPEN, 'name') }),
  }),
  'name',
);
const POD_SPEC = record({
  containers: CONTAINERS,
  initContainers: CONTAINERS,
  volumes: byKeys(OPEN, 'name'),
  imagePullSecrets: byKeys(OPEN, 'name'),
  topologySpreadConstraints: byKeys(OPEN, 'topologyKey', 'whenUnsatisfiable'),
  resourceClaims: byKeys(OPEN, 'name'),
  nodeSelector: ATOM,
});
const TEMPLATE = record({ metadata: METADATA, spec: POD_SPEC });
const WORKLOAD = { spec: record({ selector: ATOM, template: TEMPLATE }), status: CONDITIONS };

function builtIn(
  properties: Readonly<Record<string, Schema>>,
  options: { readonly hasStatus?: boolean; readonly hasGeneration?: boolean } = {},
): SimulatedKind {
  return {
    schema: { type: 'object', properties: { metadata: METADATA, ...properties } },
    isCustom: false,
    hasStatus: options.hasStatus === true,
    hasGeneration: options.hasGeneration === true,
  };
}

const DATA = { data: STRINGS, binaryData: STRINGS, immutable: { type: 'boolean' } };
const EVENT_FIELDS =
  'eventTime reportingController reportingInstance action reason note type'.split(' ');

const BUILT_IN = {
  ConfigMap: builtIn(DATA),
  Secret: builtIn({ ...DATA, stringData: STRINGS, type: { type: 'string', default: 'Opaque' } }),
  ServiceAccount: builtIn({
    automountServiceAccountToken: { type: 'boolean' },
    secrets: byKeys(ATOM, 'name'),
    imagePullSecrets: byKeys(ATOM, 'name'),
  }),
  Service: builtIn(
    {
      spec: record({ ports: byKeys(OPEN, 'port', 'protocol'), selector: ATOM }),
      status: CONDITIONS,
    },
    { hasStatus: true },
  ),
  Pod: builtIn({ spec: POD_SPEC, status: CONDITIONS }, { hasStatus: true }),
  Deployment: builtIn(WORKLOAD, { hasStatus: true, hasGeneration: true }),
  Job: builtIn(WORKLOAD, { hasStatus: true, hasGeneration: true }),
  HorizontalPodAutoscaler: builtIn({ spec: OPEN, status: CONDITIONS }, { hasStatus: true }),
  PodDisruptionBudget: builtIn(
    { spec: record({ selector: ATOM }), status: CONDITIONS },
    { hasStatus: true, hasGeneration: true },
  ),
  NetworkPolicy: builtIn({ spec: record({ podSelector: ATOM }) }, { hasGeneration: true }),
  Lease: builtIn({ spec: OPEN }),
  Event: builtIn({
    ...Object.fromEntries(EVENT_FIELDS.map((field) => [field, { type: 'string' }])),
    regarding: ATOM,
    related: ATOM,
    series: OPEN,
  }),
  TokenReview: builtIn({ spec: OPEN, status: OPEN }),
  SubjectAccessReview: builtIn({ spec: OPEN, status: OPEN }),
} satisfies Partial<Record<KindName, SimulatedKind>>;

const FOLDER = new URL('../../crds/', import.meta.url);

let kinds: Readonly<Record<KindName, SimulatedKind>> | null = null;

/** The table of all kinds; ours as their generated definitions have them. */
export function simulatedKinds(): Readonly<Record<KindName, SimulatedKind>> {
  kinds ??= readKinds();
  return kinds;
}

function readKinds(): Readonly<Record<KindName, SimulatedKind>> {
  const custom = readdirSync(FOLDER)
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => parse(readFileSync(new URL(file, FOLDER), 'utf8')) as Definition)
    .map(
      ({ spec }) =>
        [spec.names.kind, customKind(spec.versions[0]!.schema.openAPIV3Schema)] as const,
    );
  return { ...BUILT_IN, ...Object.fromEntries(custom) } as Record<KindName, SimulatedKind>;
}

interface Definition {
  readonly spec: {
    readonly names: { readonly kind: string };
    readonly versions: readonly { readonly schema: { readonly openAPIV3Schema: Schema } }[];
  };
}

function customKind(schema: Schema): SimulatedKind {
  return {
    schema: { ...schema, properties: { ...schema.properties, metadata: METADATA } },
    isCustom: true,
    hasStatus: true,
    hasGeneration: true,
  };
}

/** The schema below a field, an item or a value of a map; undefined: not declared. */
export function fieldSchema(schema: Schema, field: string): Schema | undefined {
  const declared = schema.properties?.[field];
  if (declared !== undefined) return declared;
  if (typeof schema.additionalProperties === 'object') return schema.additionalProperties;
  return isOpen(schema) ? OPEN : undefined;
}

function isOpen(schema: Schema): boolean {
  if (schema['x-kubernetes-preserve-unknown-fields'] === true) return true;
  return schema.properties === undefined && schema.additionalProperties === undefined;
}

/** A map whose keys are data, not fields: it is owned as a whole too when somebody creates it by an update. */
export function isMap(schema: Schema): boolean {
  return schema.properties === undefined;
}

/** Without fields that the schema does not declare, and those that are undefined, with its defaults. A copy. */
export function pruneAndDefault(value: unknown, schema: Schema): unknown {
  if (Array.isArray(value)) return value.map((item) => pruneAndDefault(item, schema.items ?? OPEN));
  if (!isRecord(value)) return value;
  const result: Record<string, unknown> = {};
  for (const [field, inner] of Object.entries(value)) {
    const below = inner === undefined ? undefined : fieldSchema(schema, field);
    if (below !== undefined) result[field] = pruneAndDefault(inner, below);
  }
  for (const [field, below] of Object.entries(schema.properties ?? {})) {
    if (result[field] === undefined && below.default !== undefined) {
      result[field] = pruneAndDefault(structuredClone(below.default), below);
    }
  }
  return result;
}

/** The first path that an apply may not name: not declared, or of another type. */
export function untyped(value: unknown, schema: Schema, path = ''): string | null {
  if (Array.isArray(value))
    return firstOf(value.map((item) => untyped(item, schema.items ?? OPEN, path)));
  if (!isRecord(value))
    return hasType(value, schema) ? null : `${path}: expected ${schema.type ?? ''}`;
  return firstOf(
    Object.entries(value).map(([field, inner]) => {
      const below = fieldSchema(schema, field);
      if (below === undefined) return `${path}.${field}: field not declared in schema`;
      return untyped(inner, below, `${path}.${field}`);
    }),
  );
}

function hasType(
  value: unknown,
  { type, 'x-kubernetes-int-or-string': isEither }: Schema,
): boolean {
  if (value === null || type === undefined || isEither === true) return true;
  if (type === 'integer' || type === 'number') return typeof value === 'number';
  if (type === 'object' || type === 'array') return false;
  return typeof value === type;
}

function firstOf(problems: readonly (string | null)[]): string | null {
  return problems.find((problem) => problem !== null) ?? null;
}

/** Causes of a 422: what is required and missing, or outside an enumeration. Rules in CEL are not simulated. */
export function invalidCauses(value: unknown, schema: Schema): readonly string[] {
  if (Array.isArray(value))
    return value.flatMap((item) => invalidCauses(item, schema.items ?? OPEN));
  if (schema.enum !== undefined && !schema.enum.includes(value)) return ['FieldValueNotSupported'];
  if (!isRecord(value)) return hasType(value, schema) ? [] : ['FieldValueTypeInvalid'];
  const missing = (schema.required ?? []).filter((field) => value[field] === undefined);
  return [
    ...missing.map(() => 'FieldValueRequired'),
    ...Object.entries(value).flatMap(([field, inner]) =>
      invalidCauses(inner, fieldSchema(schema, field) ?? OPEN),
    ),
  ];
}
