// Whether exits pay (exits.md 10 and 11): busy seconds against what the same batches would have cost plain.
import { busySeconds, netSaving } from '../stats/cost.ts';
import { NO_SAVINGS, type Ledger, type SavingEntry } from './ledger.ts';
import { answeredRows, type Tick } from './tick.ts';

const TICK_ROWS = 1_000;
const MAX_TICKS = 20;
const SPAN_ROWS = 5_000;
const HYSTERESIS = 0.02;
const LOW_SHARE = 0.8;
const LOW_SPANS = 2;

/** Adds a tick while stable alone serves. */
export function updateSaving(saving: Ledger['saving'], tick: Tick): Ledger['saving'] {
  const now = tick.windows.reduce<SavingEntry>((sum, window) => {
    const seconds = window.compute === null ? { busy: 0, plain: 0 } : busySeconds(window.compute);
    return addSaving(sum, { rows: answeredRows(window), ...seconds });
  }, NO_SAVINGS.open);
  return closeSpan(closeTick(saving, addSaving(saving.open, now)), addSaving(saving.span, now));
}

function closeTick(saving: Ledger['saving'], open: SavingEntry): Ledger['saving'] {
  if (open.rows < TICK_ROWS) return { ...saving, open };
  return { ...saving, ticks: [...saving.ticks, open].slice(-MAX_TICKS), open: NO_SAVINGS.open };
}

function closeSpan(saving: Ledger['saving'], span: SavingEntry): Ledger['saving'] {
  const ratio = netSaving(span);
  if (span.rows < SPAN_ROWS || ratio === null) return { ...saving, span };
  const closed = { ...saving, span: NO_SAVINGS.span };
  if (saving.reference === null) return { ...closed, reference: ratio };
  return { ...closed, lowSpans: ratio < LOW_SHARE * saving.reference ? saving.lowSpans + 1 : 0 };
}

/** Net saving over the last 20 spans of >= 1,000 rows; null before there are 20. */
function recentSaving({ ticks }: Ledger['saving']): number | null {
  return ticks.length < MAX_TICKS ? null : netSaving(ticks.reduce(addSaving));
}

/** The net saving over 20 spans if it is below `minSaving` - 2 points, so that exits do not pay; null: they do, or no figures say otherwise. */
export function tooSmallSaving(saving: Ledger['saving'], minSaving: number): number | null {
  const recent = recentSaving(saving);
  return recent !== null && recent < minSaving - HYSTERESIS ? recent : null;
}

/** Two spans of 5,000 rows in a row below 80 % of the first after promotion. */
export function hasLostSaving({ lowSpans }: Ledger['saving']): boolean {
  return lowSpans >= LOW_SPANS;
}

function addSaving(a: SavingEntry, b: SavingEntry): SavingEntry {
  return { rows: a.rows + b.rows, busy: a.busy + b.busy, plain: a.plain + b.plain };
}
