// Bills of materials in images, as CycloneDX has them.
import { Spec, Validation } from '@cyclonedx/cyclonedx-library';
import { expect } from 'vitest';

export const BILL = 'app/sbom.cdx.json';

interface Component {
  /** With the group before it. */
  readonly full: string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly components?: readonly Component[];
  readonly licenses?: readonly unknown[];
  readonly hashes?: readonly { readonly content: string }[];
}

/** Of the text of a bill, once it has been found to be valid. */
export async function validComponents(bill: string): Promise<readonly Component[]> {
  const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6);
  const problems: unknown = await validator.validate(bill);
  expect(problems).toBeNull();
  const { components } = JSON.parse(bill) as {
    readonly components: readonly (Component & { readonly group?: string })[];
  };
  return components.map((one) => ({
    ...one,
    full: one.group === undefined ? one.name : `${one.group}/${one.name}`,
  }));
}

/** Of the paths of an image, those whose texts say which packages are inside. */
export function namingPackages(paths: Iterable<string>): readonly string[] {
  return [...paths].filter((path) =>
    /^app\/([^/]+\.mjs|node_modules\/(@[^/]+\/)?[^/]+\/package\.json)$/.test(path),
  );
}

/** Folders of packages, and packages of which a bundle has a file: esbuild writes the path above it. */
export function packagesInside(texts: ReadonlyMap<string, string>): readonly string[] {
  const names = [...texts].flatMap(([path, text]) => {
    const folder = /^app\/node_modules\/(.+)\/package\.json$/.exec(path)?.[1];
    if (folder !== undefined) return [folder];
    const named = text.matchAll(/^\s*\/\/ (?:\S*\/)?node_modules\/((?:@[^/]+\/)?[^/]+)\/\S+$/gm);
    return [...named].map(([, name]) => name!);
  });
  return [...new Set(names)].sort();
}
