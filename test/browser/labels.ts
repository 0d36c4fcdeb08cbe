import type { Page } from 'playwright-core';
import { FORMATS, type FormatName } from '../../operator/local/page/state/format.ts';

/** A figure as a page shows it: where it stands in the document behind the page, in which form, and the text. */
export interface Label {
  readonly at: string;
  readonly as: FormatName;
  readonly text: string;
}

export function readLabels(page: Page): Promise<Label[]> {
  return page.evaluate<Label[]>(
    `[...document.querySelectorAll('[data-at]')].map((node) => ({ at: node.dataset.at, as: node.dataset.as, text: node.textContent }))`,
  );
}

/** The same label as the document has it. */
export function labelOf({ at, as }: Label, document: unknown): Label {
  const value = at
    .split('.')
    .reduce<unknown>(
      (inner, key) => (inner as Record<string, unknown> | null | undefined)?.[key],
      document,
    );
  return { at, as, text: FORMATS[as]((value as number | null | undefined) ?? null) };
}
