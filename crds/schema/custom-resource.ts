import { z } from 'zod';

import { cacheHeadRevision, HEAD_REVISION_KIND } from '../v1alpha1/cache-head-revision.ts';
import { cachedModelService, KIND } from '../v1alpha1/cached-model-service.ts';
import {
  HEAD_REVISION_RULES,
  HEAD_REVISION_TRANSITION_RULES,
} from '../v1alpha1/head-revision-rules.ts';
import { headRevisionStatus } from '../v1alpha1/head-revision-status.ts';
import { SERVICE_RULES, SERVICE_TRANSITION_RULES } from '../v1alpha1/rules.ts';
import { serviceStatus } from '../v1alpha1/service-status.ts';
import { placeRules } from './place-rules.ts';
import { HEAD_REVISION_COLUMNS, SERVICE_COLUMNS, type Column } from './columns.ts';
import { toStructural, type JsonSchema, type StructuralSchema } from './structural.ts';

/** The two CustomResourceDefinitions, made from the schemas, rules and columns of `v1alpha1`. */

const GROUP = 'layercache.io';
const VERSION = 'v1alpha1';

export interface CustomResourceDefinition {
  readonly apiVersion: 'apiextensions.k8s.io/v1';
  readonly kind: 'CustomResourceDefinition';
  readonly metadata: { readonly name: string };
  readonly spec: Readonly<Record<string, unknown>>;
}

interface Names {
  readonly kind: string;
  readonly plural: string;
  readonly shortName: string;
}

interface Resource {
  readonly names: Names;
  readonly schema: StructuralSchema;
  readonly columns: readonly Column[];
  readonly scale?: Readonly<Record<string, string>>;
}

function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, { io: 'input', target: 'openapi-3.0' }) as JsonSchema;
}

/** Helm 4 and Flux take an object without status for ready; with this one they wait. */
const STATUS_DEFAULT = { observedGeneration: -1 };

function rootSchema(description: string, spec: z.ZodType, status: z.ZodType): StructuralSchema {
  return {
    type: 'object',
    description,
    required: ['spec'],
    properties: {
      apiVersion: { type: 'string', description: `Version of the API: ${GROUP}/${VERSION}.` },
      kind: { type: 'string', description: 'Kind of the object.' },
      metadata: { type: 'object' },
      spec: toStructural(jsonSchemaOf(spec), 'spec'),
      status: { ...toStructural(jsonSchemaOf(status), 'status'), default: STATUS_DEFAULT },
    },
  };
}

function definitionOf(resource: Resource): CustomResourceDefinition {
  const { names, schema, columns, scale } = resource;
  const { kind, plural, shortName } = names;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${GROUP}` },
    spec: {
      group: GROUP,
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: kind.toLowerCase(),
        shortNames: [shortName],
        categories: ['layercache'],
      },
      scope: 'Namespaced',
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          additionalPrinterColumns: columns,
          subresources: { status: {}, ...(scale === undefined ? {} : { scale }) },
          schema: { openAPIV3Schema: schema },
        },
      ],
    },
  };
}

/** The definition of CachedModelService. */
export function serviceDefinition(): CustomResourceDefinition {
  const description =
    'An endpoint that serves a pretrained network and answers easy requests early, within an accuracy budget that is certified and watched.';
  const schema = rootSchema(description, cachedModelService.shape.spec, serviceStatus);
  placeRules(schema, [...SERVICE_RULES, ...SERVICE_TRANSITION_RULES]);
  return definitionOf({
    names: { kind: KIND, plural: 'cachedmodelservices', shortName: 'cms' },
    schema,
    columns: SERVICE_COLUMNS,
    scale: {
      specReplicasPath: '.spec.replicas',
      statusReplicasPath: '.status.replicas',
      labelSelectorPath: '.status.selector',
    },
  });
}

/** The definition of CacheHeadRevision. */
export function headRevisionDefinition(): CustomResourceDefinition {
  const description =
    'An immutable set of heads for one backbone, written by the operator from a training, or by a user who trains elsewhere.';
  const schema = rootSchema(description, cacheHeadRevision.shape.spec, headRevisionStatus);
  placeRules(schema, [...HEAD_REVISION_RULES, ...HEAD_REVISION_TRANSITION_RULES]);
  return definitionOf({
    names: { kind: HEAD_REVISION_KIND, plural: 'cacheheadrevisions', shortName: 'chr' },
    schema,
    columns: HEAD_REVISION_COLUMNS,
  });
}
