import type { StructuralSchema } from './structural.ts';

/** A rule as it stands in a definition. */
interface PlacedRule {
  readonly path: string;
  readonly fieldPath: string | undefined;
  readonly cel: string;
  readonly message: string;
}

/** The schema at a path as in `spec.exits[].model`; throws where there is none. */
function schemaAt(root: StructuralSchema, path: string): StructuralSchema {
  let node: StructuralSchema | undefined = root;
  for (const part of path.replaceAll('[]', '.[]').split('.')) {
    if (part !== '') node = part === '[]' ? node?.items : node?.properties?.[part];
  }
  if (node === undefined) throw new Error(`no field ${path} for a rule`);
  return node;
}

/** Writes every rule into the schema at its place, behind the rules that stand there. */
export function placeRules(root: StructuralSchema, rules: readonly PlacedRule[]): void {
  for (const { path, fieldPath, cel, message } of rules) {
    const node = schemaAt(root, path);
    const standing = (node['x-kubernetes-validations'] ?? []) as readonly unknown[];
    const rule = { rule: cel, message, ...(fieldPath === undefined ? {} : { fieldPath }) };
    node['x-kubernetes-validations'] = [...standing, rule];
  }
}
