import { useEffect, useState } from 'preact/hooks';
import type { PageEvent, PagePoint, PageState, Picture } from './state/page-state.ts';

/** Whether the page hears from the run. `Over`: the run said that it ended, so nothing is missing. */
export type Link = 'Connecting' | 'Live' | 'Lost' | 'Over';

export interface Feed {
  readonly picture: Picture | null;
  readonly history: readonly PagePoint[];
  readonly link: Link;
}

const MOST_POINTS = 1_800;
const RETRY_MS = 1_000;
/** Events come once a second: this long without one, and the server is gone or stuck. */
const SILENCE_MS = 5_000;

/** Follows `/api/events`. Each connection begins with the whole, so whatever was missed is there again. */
export function useFeed(): Feed {
  const [feed, setFeed] = useState<Feed>({ picture: null, history: [], link: 'Connecting' });
  useEffect(() => {
    let source: EventSource | null = null;
    let retry: ReturnType<typeof setTimeout> | undefined;
    let silence: ReturnType<typeof setTimeout> | undefined;

    const lose = (): void => {
      source?.close();
      clearTimeout(silence);
      clearTimeout(retry);
      setFeed((before) => ({ ...before, link: hasEnded(before.picture) ? 'Over' : 'Lost' }));
      // Also after the end: the next run may use the same port.
      retry = setTimeout(connect, RETRY_MS);
    };
    const heard = (): void => {
      clearTimeout(silence);
      silence = setTimeout(lose, SILENCE_MS);
    };
    const connect = (): void => {
      source = new EventSource('/api/events');
      source.addEventListener('state', ({ data }: MessageEvent<string>) => {
        heard();
        const { history, ...picture } = JSON.parse(data) as PageState;
        setFeed({ picture, history, link: linkOf(picture) });
      });
      source.addEventListener('tick', ({ data }: MessageEvent<string>) => {
        heard();
        const { point, ...picture } = JSON.parse(data) as PageEvent;
        setFeed((before) => ({
          picture,
          history: point === null ? before.history : append(before.history, point),
          link: linkOf(picture),
        }));
      });
      source.addEventListener('error', lose);
      heard();
    };
    connect();
    return () => {
      source?.close();
      clearTimeout(retry);
      clearTimeout(silence);
    };
  }, []);
  return feed;
}

function append(history: readonly PagePoint[], point: PagePoint): readonly PagePoint[] {
  return [...history.slice(-(MOST_POINTS - 1)), point];
}

export function hasEnded(picture: Picture | null): boolean {
  return picture !== null && ['Ended', 'Interrupted', 'Failed'].includes(picture.status);
}

function linkOf(picture: Picture): Link {
  return hasEnded(picture) ? 'Over' : 'Live';
}
