import { FORMATS, type FormatName } from '../../page/state/format.ts';
import { markup, type Markup } from './markup.ts';

/** A figure of report.json: `at` is its path there, so that a test can compare the two. */
export function figure(value: number | null, at: string, as: FormatName): Markup {
  return markup`<span class="num" data-at="${at}" data-as="${as}">${FORMATS[as](value)}</span>`;
}
