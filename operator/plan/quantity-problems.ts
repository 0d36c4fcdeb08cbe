import type { PodTemplateSpec } from 'kubernetes-types/core/v1.js';

import { listAt, objectAt } from './json-object.ts';
import type { TemplateProblem } from './template-problem.ts';

/** As `resource.ParseQuantity` of apimachinery reads text: a decimal number and at most one suffix or exponent. */
const QUANTITY = /^[+-]?(\d+\.?\d*|\.\d+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?$/;

/** Requests and limits that are no quantities. The API server refuses them too, but names neither field nor value. */
export function quantityProblems(template: PodTemplateSpec): TemplateProblem[] {
  return ['initContainers', 'containers'].flatMap((list) =>
    listAt(template, 'spec', list).flatMap((container) =>
      ['limits', 'requests'].flatMap((field) =>
        Object.entries(objectAt(container, 'resources', field)).flatMap(([resource, value]) => {
          if (typeof value !== 'string' || QUANTITY.test(value)) return [];
          const at = `.spec.template.spec.${list}[name="${String(container.name)}"]`;
          return [
            {
              path: `${at}.resources.${field}["${resource}"]`,
              message: `"${value}" is not a quantity: write for example 500m, 2 or 4Gi`,
            },
          ];
        }),
      ),
    ),
  );
}
