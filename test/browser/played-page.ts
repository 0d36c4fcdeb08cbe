import { join } from 'node:path';
import type { PageState } from '../../operator/local/page/state/page-state.ts';
import { loadAssets } from '../../operator/local/web/assets.ts';
import { startPageServer, type PageServer } from '../../operator/local/web/page-server.ts';
import { sceneOf, type Scene } from './scripted-run.ts';

/** The real server of the page over a script instead of a run. */
export interface PlayedPage {
  readonly url: string;
  readonly state: PageState;
  /** Goes on to another scene, as a tick of a second would. */
  play(scene: Scene): void;
  close(): Promise<void>;
}

export async function playPage(scene: Scene, port = 0): Promise<PlayedPage> {
  let state = sceneOf(scene);
  const assets = loadAssets(join(process.cwd(), 'dist/bundle'));
  const server: PageServer = await startPageServer({
    port,
    portFlag: '--dashboard-port',
    assets,
    state: () => state,
  });
  const beat = setInterval(() => {
    tick(server, state, false);
  }, 1_000);
  return {
    url: server.url,
    get state() {
      return state;
    },
    play: (next) => {
      state = sceneOf(next);
      tick(server, state, true);
    },
    close: async () => {
      clearInterval(beat);
      await server.close();
    },
  };
}

/** A picture with its newest point, or the same one again: what keeps a page from thinking that the run is gone. */
function tick(server: PageServer, { history, ...picture }: PageState, isNew: boolean): void {
  server.send({ ...picture, point: isNew ? (history.at(-1) ?? null) : null });
}
