import type { CaseResults, ExitsResults } from './results.ts';
import { RULE_NAMES } from './rules/rule-names.ts';
import { percent } from './table.ts';

const WIDTH = 760;
const LABEL = 230;
const BAR = 12;
const ROW = 17;
const TITLE = 34;
const GAP = 12;

/** Colours that keep their contrast on white and on GitHub's dark grey. */
const STYLE = `text{font:12px system-ui,sans-serif;fill:#24292f}.title{font:600 13px system-ui,sans-serif}.label{text-anchor:end}.ours{fill:#0a7d5a}.other{fill:#8b949e}@media (prefers-color-scheme:dark){text{fill:#e6edf3}.ours{fill:#2fbf8f}}`;

/** What each rule saves at each level of disagreement, as bars beside their numbers; one panel per backbone and level. */
export function exitsChart({ cases }: ExitsResults): string {
  const panels: string[] = [];
  let top = 0;
  for (const one of cases) {
    for (const { budget, rules } of one.levels) {
      const bars = rules.flatMap(({ name, equal, deployed }) => {
        const isCertified = name === RULE_NAMES.certified;
        const { mean } = isCertified ? deployed.saved : (equal ?? deployed.saved);
        return [
          { name, value: Math.max(0, mean), isOurs: isCertified || name === RULE_NAMES.ours },
        ];
      });
      panels.push(panel(one, { budget, bars, top }));
      top += TITLE + bars.length * ROW + GAP;
    }
  }
  const title = 'Multiply-adds saved at equal disagreement';
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${top}" role="img" aria-label="${title}"><style>${STYLE}</style>\n${panels.join('\n')}\n</svg>\n`;
}

interface Bar {
  readonly name: string;
  readonly value: number;
  readonly isOurs: boolean;
}

function panel(
  { name }: CaseResults,
  {
    budget,
    bars,
    top,
  }: { readonly budget: number; readonly bars: readonly Bar[]; readonly top: number },
): string {
  const lines = bars.map(({ name: rule, value, isOurs }, index) => {
    const y = top + TITLE + index * ROW;
    const width = Math.round((WIDTH - LABEL - 70) * value);
    return [
      `<text class="label" x="${LABEL - 8}" y="${y + 10}">${rule}</text>`,
      `<rect class="${isOurs ? 'ours' : 'other'}" x="${LABEL}" y="${y}" width="${width}" height="${BAR}" rx="2"/>`,
      `<text x="${LABEL + width + 6}" y="${y + 10}">${percent(value)}</text>`,
    ].join('');
  });
  const heading = `${name}: multiply-adds saved at ${percent(budget)} disagreement (certified: for ${percent(budget)})`;
  return [`<text class="title" x="8" y="${top + 20}">${heading}</text>`, ...lines].join('\n');
}
