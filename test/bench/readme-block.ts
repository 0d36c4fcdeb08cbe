/**
 * A document with what stands between two lines replaced; throws where it lacks them.
 * @param block the line before it, and the line after.
 */
export function withBlock(
  document: string,
  { start, end }: { readonly start: string; readonly end: string },
  text: string,
): string {
  const from = document.indexOf(start);
  const to = document.indexOf(end);
  if (from === -1 || to < from)
    throw new RangeError(`the document has no lines "${start}" and "${end}" to write between`);
  return `${document.slice(0, from + start.length)}\n${text}\n${document.slice(to)}`;
}
