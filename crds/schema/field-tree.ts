import { z } from 'zod';

import { cachedModelService } from '../v1alpha1/cached-model-service.ts';

/** A field of the API as messages and the reference need it; made from the zod schema. */
export interface FieldNode {
  readonly type?: string;
  readonly description?: string;
  readonly bounds?: string;
  readonly example?: unknown;
  readonly computed?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, FieldNode>>;
  readonly items?: FieldNode;
}

/** Making a tree takes 10 ms, and a schema never changes. */
const trees = new WeakMap<z.ZodType, FieldNode>();

/** The fields of a schema as they are written, before defaults and unit conversion. */
export function treeOf(schema: z.ZodType): FieldNode {
  const known = trees.get(schema);
  if (known !== undefined) return known;
  const tree = z.toJSONSchema(schema, { io: 'input', target: 'openapi-3.0' }) as FieldNode;
  trees.set(schema, tree);
  return tree;
}

/** The whole CachedModelService. */
export function fieldTree(): FieldNode {
  return treeOf(cachedModelService);
}

/** The field at a path, undefined where the API has none. */
export function fieldAt(root: FieldNode, path: readonly PropertyKey[]): FieldNode | undefined {
  let node: FieldNode | undefined = root;
  for (const part of path) {
    node = typeof part === 'number' ? node?.items : node?.properties?.[String(part)];
  }
  return node;
}

/** Calls `visit` for every field below `root`, parents first, in the order of the schema. `[]` marks list items. */
export function walkFields(
  root: FieldNode,
  visit: (path: string, node: FieldNode, required: boolean) => void,
  prefix = '',
): void {
  for (const [name, node] of Object.entries(root.properties ?? {})) {
    const path = prefix === '' ? name : `${prefix}.${name}`;
    visit(path, node, root.required?.includes(name) ?? false);
    walkFields(node.items ?? node, visit, node.items === undefined ? path : `${path}[]`);
  }
}
