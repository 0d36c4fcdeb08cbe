const START = '<!-- comparison with other servers: written by npm run bench peers -- --write -->';
const END = '<!-- end of the comparison -->';

/** A document with its block of the comparison replaced; throws where it has none. */
export function withComparison(document: string, comparison: string): string {
  const start = document.indexOf(START);
  const end = document.indexOf(END);
  if (start === -1 || end < start)
    throw new RangeError(`the document has no lines "${START}" and "${END}" to write between`);
  return `${document.slice(0, start + START.length)}\n${comparison}\n${document.slice(end)}`;
}
