// What a user reads, as tests see it.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A fenced block of a document. */
export interface Block {
  /** `FILE#HEADING`, with `/2` and so on from the second block under a heading on. */
  readonly id: string;
  readonly language: string;
  readonly text: string;
}

/** Every document in Markdown, from the root of the repository. */
export function documents(): readonly string[] {
  const words = ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'];
  return execFileSync('git', words, { encoding: 'utf8' }).trim().split('\n');
}

export const textOf = (path: string): string => readFileSync(path, 'utf8');

/** As GitHub makes the anchor of a heading. */
export function anchorOf(heading: string): string {
  return heading
    .trim()
    .toLowerCase()
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-');
}

/** The headings of a text as anchors; an equal one later in it gets a number, as GitHub does it. */
export function anchorsOf(text: string): readonly string[] {
  const seen = new Map<string, number>();
  return [...withoutBlocks(text).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => {
    const anchor = anchorOf(heading);
    const times = seen.get(anchor) ?? 0;
    seen.set(anchor, times + 1);
    return times === 0 ? anchor : `${anchor}-${times}`;
  });
}

export function withoutBlocks(text: string): string {
  return text.replaceAll(/^ *```[\s\S]*?^ *```$/gm, '');
}

/** The fenced blocks of a document in order. */
export function blocksOf(path: string): readonly Block[] {
  const blocks: Block[] = [];
  const counts = new Map<string, number>();
  let heading = '';
  for (const [found, title, , language, body] of textOf(path).matchAll(
    /^#+ (.+)$|^( *)```(\w*)\n([\s\S]*?)^ *```$/gm,
  )) {
    if (!found.trimStart().startsWith('```')) {
      heading = anchorOf(title ?? '');
      continue;
    }
    const place = `${path}#${heading}`;
    const count = (counts.get(place) ?? 0) + 1;
    counts.set(place, count);
    const id = count === 1 ? place : `${place}/${count}`;
    blocks.push({ id, language: language ?? '', text: body ?? '' });
  }
  return blocks;
}

/** One block by its id: what a test runs is then what the document says. */
export function blockText(id: string): string {
  const [path = ''] = id.split('#');
  const found = blocksOf(path).find((block) => block.id === id);
  if (found === undefined) throw new Error(`there is no block ${id}`);
  return found.text;
}

/** What stands in backticks in running text, without the Decisions of a folder: they speak of what was, too. */
export function inlineOf(path: string): readonly string[] {
  const [text = ''] = withoutBlocks(textOf(path)).split('\n## Decisions');
  return [...text.matchAll(/`([^`\n]+)`/g)].map(([, word = '']) => word);
}
