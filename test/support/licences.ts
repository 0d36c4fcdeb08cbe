// Which licences may ship, and which may stand beside us in tests and builds alone.

/** Free to ship inside an Apache-2.0 program, with their notices. */
const PERMISSIVE = [
  ...['0BSD', 'Apache-2.0', 'BlueOak-1.0.0', 'BSD-2-Clause', 'BSD-3-Clause', 'CC0-1.0', 'ISC'],
  ...['MIT', 'Python-2.0', 'Unlicense'],
];

/** Packages that ship under another licence, with why they may. */
const SHIPPED_BESIDE: readonly { readonly name: RegExp; readonly id: string }[] = [
  // libvips: a shared library of its own that sharp loads, as it comes, and that anybody may exchange.
  { name: /^@img\/sharp-(libvips-)?[a-z0-9-]+$/, id: 'LGPL-3.0-or-later' },
];

/** Data and programs that tests and builds use and nobody is given. */
const OF_TOOLS = ['CC-BY-3.0', 'CC-BY-4.0', 'MPL-2.0'];

/**
 * What stands against a licence, as SPDX writes it; null: nothing does.
 * @param isShipped whether the package reaches those who install Layercache
 */
export function licenceProblem(
  name: string,
  licence: string | undefined,
  isShipped: boolean,
): string | null {
  if (licence === undefined || licence === '') return `${name} names no licence`;
  const isAllowed = (id: string): boolean =>
    PERMISSIVE.includes(id) ||
    (!isShipped && OF_TOOLS.includes(id)) ||
    SHIPPED_BESIDE.some((one) => one.id === id && one.name.test(name));
  const isFine = licence
    .replaceAll(/[()]/g, '')
    .split(' OR ')
    .some((choice) => choice.split(' AND ').every(isAllowed));
  return isFine ? null : `${name}: ${licence}`;
}
