import { headRevisionDefinition, serviceDefinition } from '../../../crds/schema/custom-resource.ts';
import { canonicalJson } from '../../../crds/wire/json.ts';
import { finding, ok, unknown, type Finding } from './finding.ts';

/** A definition as the API server holds it; null: there is none; `Forbidden`: this user may not look. */
export type LiveDefinition = { readonly spec?: unknown } | null | 'Forbidden';

interface DefinitionVersion {
  readonly name?: string;
  readonly served?: boolean;
  readonly storage?: boolean;
  readonly schema?: unknown;
}

const INSTALL =
  'Upgrade the chart with crds.install=true, or run `layercache export crds DIR` and apply what it writes.';

/** The definitions that this program was built with, by name. */
export function ownDefinitions(): Readonly<Record<string, { readonly spec: unknown }>> {
  return Object.fromEntries(
    [serviceDefinition(), headRevisionDefinition()].map((one) => [one.metadata.name, one]),
  );
}

/** Whether a definition is there, serves our version, and says what this program says. */
export function checkDefinition(name: string, live: LiveDefinition): Finding {
  if (live === 'Forbidden') {
    return unknown(
      'Definitions',
      `${name}: this user may not read definitions, so only that it is served is known`,
    );
  }
  if (live === null) return finding('Definitions', `${name} is not installed`, INSTALL);
  const served = versionsOf(live).find((version) => version.name === 'v1alpha1');
  if (served?.served !== true) {
    return finding('Definitions', `${name} does not serve v1alpha1`, INSTALL);
  }
  const own = versionsOf(ownDefinitions()[name] ?? null).find(
    (version) => version.name === 'v1alpha1',
  );
  const isSame = canonicalJson(served.schema) === canonicalJson(own?.schema);
  return isSame
    ? ok('Definitions', `${name} serves v1alpha1, as this program knows it`)
    : finding(
        'Definitions',
        `${name} serves v1alpha1 with another schema than this program knows`,
        `It is older or newer: compare \`layercache version\` with the chart. ${INSTALL}`,
      );
}

function versionsOf(
  definition: Exclude<LiveDefinition, 'Forbidden'>,
): readonly DefinitionVersion[] {
  const spec = definition?.spec as { readonly versions?: readonly DefinitionVersion[] } | undefined;
  return spec?.versions ?? [];
}
