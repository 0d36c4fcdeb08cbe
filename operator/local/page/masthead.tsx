import type { JSX } from 'preact';
import { measureOf } from '../../../crds/wire/measure.ts';
import type { Link } from './feed.ts';
import type { Headline } from './headline.ts';
import { Num } from './parts.tsx';
import { plainPercent, timeText } from './state/format.ts';
import type { Picture } from './state/page-state.ts';
import type { Theme } from './theme.ts';

const LINKS: Readonly<Record<Link, string>> = {
  Connecting: '○ Connecting',
  Live: '● Live',
  Lost: '▲ No answer, trying again',
  Over: '■ Last state',
};

/** Who runs, on what, and whether this page still hears from it. */
export function Masthead({
  picture,
  link,
  theme,
  onTheme,
}: {
  readonly picture: Picture;
  readonly link: Link;
  readonly theme: Theme;
  readonly onTheme: () => void;
}): JSX.Element {
  const { run } = picture;
  return (
    <header class="masthead">
      <p class="brand">
        <img src="/icon.svg" alt="" width="22" height="22" /> Layercache
        <span class="version">{run.version}</span>
      </p>
      <p class="service">
        <b>{run.service}</b>
        <span>{run.engine === '' ? 'engine loading' : run.engine}</span>
        <span>
          budget {plainPercent(run.budgetRatio)}
          {measureOf(run).afterBudget} at {plainPercent(run.confidence)}
        </span>
        {run.seed === null ? <span>read-only</span> : <span>seed {run.seed}</span>}
      </p>
      <p class="tools">
        <LinkState picture={picture} link={link} />
        <Clock picture={picture} />
        <button type="button" onClick={onTheme} aria-label={`Colours: ${theme}. Change.`}>
          {theme === 'auto' ? '◐ auto' : theme === 'light' ? '○ light' : '● dark'}
        </button>
      </p>
    </header>
  );
}

/** A page that hears from its server may still show old figures: the server may have lost the cluster. */
function LinkState({
  picture: { cluster, atSeconds },
  link,
}: {
  readonly picture: Picture;
  readonly link: Link;
}): JSX.Element {
  const stale = link === 'Live' ? (cluster?.stale ?? null) : null;
  if (cluster === null || stale === null) {
    return (
      <span class={`link link-${link.toLowerCase()}`} role="status">
        {LINKS[link]}
      </span>
    );
  }
  const since = timeText(cluster.startMs, atSeconds)(stale.sinceSeconds);
  return (
    <span class="link link-lost" role="status">
      ▲ Old figures, of {since}
    </span>
  );
}

function Clock({ picture }: { readonly picture: Picture }): JSX.Element {
  const { cluster, atSeconds } = picture;
  return cluster === null ? (
    <span class="clock" title="Time since the start of the run">
      <Num value={atSeconds} at="atSeconds" as="clockTime" />
    </span>
  ) : (
    <span class="clock num" title="Time of day, UTC">
      {timeText(cluster.startMs, atSeconds)(atSeconds)} UTC
    </span>
  );
}

export function Hero({
  picture,
  headline,
}: {
  readonly picture: Picture;
  readonly headline: Headline;
}): JSX.Element {
  const { tone, sign, word, title } = headline;
  return (
    <div class={`hero tone-${tone}`}>
      <p class="verdict">
        <span aria-hidden="true">{sign}</span> {word}
      </p>
      <h1>{title}</h1>
      <p class="why">{whyOf(picture)}</p>
    </div>
  );
}

function whyOf({ status, message, exitsAre, reportPath }: Picture): string {
  if (status === 'Running') return `${exitsAre.why} ${message}`;
  return reportPath === null ? message : `${message} Report: ${reportPath}`;
}
