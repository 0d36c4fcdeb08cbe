import { Fragment, type JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { CertificatePanel, DisagreementPanel } from './budget-panels.tsx';
import { ConditionsPanel } from './conditions-panel.tsx';
import { ExitsPanel } from './exits-panel.tsx';
import { useFeed } from './feed.ts';
import { Figures } from './figures.tsx';
import { headlineOf } from './headline.ts';
import { LatencyPanel } from './latency-panel.tsx';
import { Hero, Masthead } from './masthead.tsx';
import { Notices } from './notices.tsx';
import { ServersPanel } from './servers-panel.tsx';
import { Stages } from './stages.tsx';
import type { PageCluster } from './state/page-state.ts';
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
        {link === 'Lost' ? 'Nothing answers; trying again.' : 'Connecting.'}
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
        <Stages
          stages={picture.stages}
          isOver={link === 'Over'}
          isOfRun={picture.cluster === null}
        />
        <Notices picture={picture} />
        <Figures picture={picture} history={history} />
        <div class="panels">
          <RequestsPanel {...shared} />
          <SharePanel {...shared} />
          <LatencyPanel {...shared} />
          <DisagreementPanel {...shared} />
          <CertificatePanel picture={picture} isDark={isDark} />
          {picture.cluster === null ? null : (
            <ConditionsPanel cluster={picture.cluster} atSeconds={picture.atSeconds} />
          )}
          <TimelinePanel picture={picture} />
          {picture.exits.length === 0 ? null : <ExitsPanel picture={picture} />}
          <ServersPanel {...shared} />
        </div>
      </main>
      <Footer picture={picture} />
    </>
  );
}

/** Addresses and files of a run; of a service what kubectl would ask for. */
function Footer({
  picture,
}: {
  readonly picture: NonNullable<ReturnType<typeof useFeed>['picture']>;
}): JSX.Element {
  const { run, cluster } = picture;
  const facts: [name: string, value: string][] = [
    ['predict', run.predictUrl ?? '–'],
    ['metrics', run.metricsUrl ?? '–'],
    ['backbone', run.backbone],
    ['traffic', run.traffic],
    ...(cluster === null ? [] : clusterFacts(cluster)),
  ];
  return (
    <footer>
      <dl>
        {facts.map(([name, value]) => (
          <Fragment key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </Fragment>
        ))}
      </dl>
    </footer>
  );
}

function clusterFacts({ context, server, policy }: PageCluster): [name: string, value: string][] {
  const { epoch, revision, acknowledged, readyPods } = policy ?? {};
  return [
    ['cluster', `${context === '' ? '' : `context ${context}, `}${server}`],
    [
      'policy',
      policy === null
        ? 'none published yet'
        : `${epoch}.${revision}, acknowledged by ${acknowledged} of ${readyPods} ready pods`,
    ],
    ['times', 'of day, in UTC'],
  ];
}
