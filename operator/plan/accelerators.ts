import { listAt, objectAt } from './json-object.ts';

const ORDINARY_RESOURCES = new Set(['cpu', 'memory', 'ephemeral-storage']);

/** Names of limits beyond cpu, memory and disk, of all containers of a pod template. */
export function acceleratorNames(template: unknown): string[] {
  const names = listAt(template, 'spec', 'containers').flatMap((container) =>
    Object.keys(objectAt(container, 'resources', 'limits')),
  );
  return [...new Set(names.filter((name) => !ORDINARY_RESOURCES.has(name)))].sort();
}

/** Whether the pods ask for a device: they may then have no spare one for a surge. */
export function hasAccelerator(template: unknown): boolean {
  return (
    acceleratorNames(template).length > 0 || listAt(template, 'spec', 'resourceClaims').length > 0
  );
}
