import { closedMeasure, USUAL_CALLERS } from './comparison.ts';
import { LAYERCACHE } from './layercache-name.ts';
import { numberText } from './number-text.ts';
import { isMeasured, type CaseResults, type MeasuredLane, type PeerResults } from './results.ts';
import { sorted } from './table.ts';

const WIDTH = 760;
const LABEL = 250;
const VALUE = 130;
const BAR = 16;
const ROW = 24;
const TITLE = 34;

/** Colours that keep their contrast on white and on GitHub's dark grey. */
const STYLE = `text{font:13px system-ui,sans-serif;fill:#24292f}.title{font-weight:600}.label{text-anchor:end}.ours{fill:#0a7d5a}.other{fill:#8b949e}@media (prefers-color-scheme:dark){text{fill:#e6edf3}.ours{fill:#2fbf8f}}`;

/** Throughput of each server on each model as bars, each beside its number. */
export function comparisonChart({ cases }: PeerResults): string {
  const panels: string[] = [];
  let top = 0;
  for (const one of cases) {
    const lanes = sorted(one.lanes).filter(isMeasured);
    panels.push(panel(one, lanes, top));
    top += TITLE + lanes.length * ROW + 12;
  }
  const title = `Requests per second at ${USUAL_CALLERS} callers`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${top}" role="img" aria-label="${title}"><style>${STYLE}</style>\n${panels.join('\n')}\n</svg>\n`;
}

function panel({ name }: CaseResults, lanes: readonly MeasuredLane[], top: number): string {
  const throughput = closedMeasure('perSecond', USUAL_CALLERS);
  const most = Math.max(...lanes.map(throughput.of), 1e-9);
  const bars = lanes.map((lane, index) => {
    const y = top + TITLE + index * ROW;
    const value = throughput.of(lane);
    const width = Math.round(((WIDTH - LABEL - VALUE) * value) / most);
    const own = lane.server === LAYERCACHE;
    return [
      `<text class="label" x="${LABEL - 8}" y="${y + 13}">${escaped(`${lane.server} (${lane.body})`)}</text>`,
      `<rect class="${own ? 'ours' : 'other'}" x="${LABEL}" y="${y}" width="${width}" height="${BAR}" rx="2"/>`,
      `<text x="${LABEL + width + 6}" y="${y + 13}">${numberText(value)}</text>`,
    ].join('');
  });
  const heading = escaped(`${name}: requests per second at ${USUAL_CALLERS} callers`);
  return [`<text class="title" x="8" y="${top + 20}">${heading}</text>`, ...bars].join('\n');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
