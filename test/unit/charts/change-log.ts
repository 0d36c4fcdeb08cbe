/**
 * The changes, as `definitionChanges` tells them, whose field no line of the change log names, in code marks, under the
 * heading of the version.
 */
export function unnamedIn(
  log: string,
  version: string,
  changes: readonly string[],
): readonly string[] {
  const part = log.split(/^## /m).find((one) => one.split('\n')[0]?.trim() === version) ?? '';
  return changes.filter((change) => !part.includes(`\`${String(change.split(': ')[0])}\``));
}
