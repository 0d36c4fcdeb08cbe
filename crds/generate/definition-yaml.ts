import { stringify } from 'yaml';

import type { CustomResourceDefinition } from '../schema/custom-resource.ts';

/** A definition as a file for `kubectl apply`. Long texts stay on one line: a diff then shows one change as one line. */
export function renderDefinition(definition: CustomResourceDefinition): string {
  const body = stringify(definition, {
    lineWidth: 0,
    singleQuote: true,
    aliasDuplicateObjects: false,
    // kubectl reads YAML 1.1, where a plain Off is false.
    compat: 'yaml-1.1',
  });
  return `# Generated from crds/v1alpha1; do not edit: run \`npm run generate\`.\n${body}`;
}
