import { withBlock } from '../readme-block.ts';
import type { ExitsResults } from './results.ts';
import { exitsText, summaryText } from './table.ts';

const BLOCK = {
  start: '<!-- comparison of exit rules: written by npm run bench exits -- --write -->',
  end: '<!-- end of the comparison of exit rules -->',
} as const;

/** Documents that a run writes to, from the root of the repository. */
export const EXITS_PAGES: readonly {
  readonly file: string;
  readonly text: (results: ExitsResults) => string;
}[] = [
  { file: 'README.md', text: summaryText },
  { file: 'test/bench/exits/README.md', text: exitsText },
];

/** A document with its block of exit rules replaced; throws where it has none. */
export function withExits(document: string, text: string): string {
  return withBlock(document, BLOCK, text);
}
