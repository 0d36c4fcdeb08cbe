import { withBlock } from '../readme-block.ts';

const BLOCK = {
  start: '<!-- comparison with other servers: written by npm run bench peers -- --write -->',
  end: '<!-- end of the comparison -->',
} as const;

/** A document with its block of the comparison replaced; throws where it has none. */
export function withComparison(document: string, comparison: string): string {
  return withBlock(document, BLOCK, comparison);
}
