import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { CertificatePanel, DisagreementPanel } from './budget-panels.tsx';
import { ExitsPanel } from './exits-panel.tsx';
import { useFeed } from './feed.ts';
import { Figures } from './figures.tsx';
import { headlineOf } from './headline.ts';
import { LatencyPanel } from './latency-panel.tsx';
import { Hero, Masthead } from './masthead.tsx';
import { Notices } from './notices.tsx';
import { ServersPanel } from './servers-panel.tsx';
import { Stages } from './stages.tsx';
import { useTheme } from './theme.ts';
import { TimelinePanel } from './timeline-panel.tsx';
import { RequestsPanel, SharePanel } from './traffic-panels.tsx';

export function App(): JSX.Element {
  const { picture, history, link } = useFeed();
  const { theme, isDark, next } = useTheme();
  const headline = picture === null ? null : headlineOf(picture, history);
  useEffect(() => {
    if (picture !== null && headline !== null) {
      document.title = `${headline.word} · ${picture.run.service} · Layercache`;
    }
  });
  if (picture === null || headline === null) {
    return (
      <main class="boot" role="status">
        {link === 'Lost' ? 'The run does not answer; trying again.' : 'Connecting to the run.'}
      </main>
    );
  }
  const shared = { picture, history, isDark };
  return (
    <>
      <a class="skip" href="#requests">
        Skip to the panels
      </a>
      <Masthead picture={picture} link={link} theme={theme} onTheme={next} />
      <main>
        <Hero picture={picture} headline={headline} />
        <Stages stages={picture.stages} isOver={link === 'Over'} />
        <Notices picture={picture} />
        <Figures picture={picture} history={history} />
        <div class="panels">
          <RequestsPanel {...shared} />
          <SharePanel {...shared} />
          <LatencyPanel {...shared} />
          <DisagreementPanel {...shared} />
          <CertificatePanel picture={picture} isDark={isDark} />
          <TimelinePanel picture={picture} />
          {picture.exits.length === 0 ? null : <ExitsPanel picture={picture} />}
          <ServersPanel {...shared} />
        </div>
      </main>
      <Footer picture={picture} />
    </>
  );
}

function Footer({
  picture,
}: {
  readonly picture: NonNullable<ReturnType<typeof useFeed>['picture']>;
}): JSX.Element {
  const { run } = picture;
  return (
    <footer>
      <dl>
        <dt>predict</dt>
        <dd>{run.predictUrl ?? '–'}</dd>
        <dt>metrics</dt>
        <dd>{run.metricsUrl ?? '–'}</dd>
        <dt>backbone</dt>
        <dd>{run.backbone}</dd>
        <dt>traffic</dt>
        <dd>{run.traffic}</dd>
      </dl>
    </footer>
  );
}
