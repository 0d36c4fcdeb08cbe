import type { PolicyRule } from '../../../operator/plan/rbac.ts';
import type { AuditEvent } from '../harness/audit-events.ts';

/** `verb group/resource`, and the name where a rule gives it for one object alone. */
export type Right = string;

/** The single rights that rules add up to; `scope` goes before each. */
export function rightsOf(scope: string, rules: readonly PolicyRule[]): readonly Right[] {
  return rules.flatMap(({ apiGroups, resources, verbs, resourceNames = [''] }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((resource) =>
        resourceNames.flatMap((name) =>
          verbs.map((verb) => right({ scope, verb, group, resource, name })),
        ),
      ),
    ),
  );
}

interface RightParts {
  readonly scope: string;
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly name: string;
}

function right({ scope, verb, group, resource, name }: RightParts): Right {
  return `${scope}: ${verb} ${group}/${resource}${name === '' ? '' : ` ${name}`}`;
}

/**
 * The rights that one request needed. `named` holds those that are given for one object: the others are named without it.
 * A server-side apply that created its object needed the right to create as well.
 */
export function rightsUsed(
  { verb, objectRef = {}, responseStatus }: AuditEvent,
  scopeOf: (namespace: string) => string,
  named: ReadonlySet<Right>,
): readonly Right[] {
  const {
    apiGroup: group = '',
    resource: plural = '',
    subresource,
    namespace = '',
    name = '',
  } = objectRef;
  const resource = subresource === undefined ? plural : `${plural}/${subresource}`;
  const verbs = verb === 'patch' && responseStatus?.code === 201 ? ['patch', 'create'] : [verb];
  return verbs.map((one) => {
    const parts = { scope: scopeOf(namespace), verb: one, group, resource };
    const withName = right({ ...parts, name });
    return named.has(withName) ? withName : right({ ...parts, name: '' });
  });
}
