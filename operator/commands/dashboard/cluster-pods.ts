import type { Policy } from '../../../crds/wire/policy.ts';
import type { Picture } from '../../local/page/state/page-state.ts';
import { countText } from '../output/words.ts';
import type { FleetFacts } from './dashboard-facts.ts';
import type { PodReading } from './fleet.ts';
import { modalBound } from './histogram.ts';
import type { PodCounts } from './pod-counts.ts';

type Server = Picture['servers'][number];

/** Pods as servers of the page; one that did not tell has no figures. */
export function clusterPods(pods: readonly PodReading[], policy: Policy | null): Server[] {
  const wanted = policy?.exitsEnabled === true ? (policy.stable?.activeExits ?? []) : [];
  return pods.map(({ name, isReady, counts }) => ({
    ...{ name, isReady },
    ...(counts === null ? UNTOLD : toldBy(counts, wanted)),
  }));
}

type Told = Omit<Server, 'name' | 'isReady'>;

const UNTOLD: Told = {
  queuedRows: null,
  queueCapacity: null,
  batchRows: null,
  mainBytes: null,
  engineBytes: null,
  activations: null,
  switchedOff: [],
};

function toldBy(counts: PodCounts, wanted: readonly string[]): Told {
  const { queueRows, queueCapacity, batches, mainBytes, engineBytes, activations } = counts;
  return {
    queuedRows: queueRows,
    batchRows: modalBound(batches),
    ...{ queueCapacity, mainBytes, engineBytes, activations },
    // What the policy lets answer and this pod does not: its own breaker, or heads that fail their known answers.
    switchedOff: wanted
      .filter((exit) => counts.exitsOff.includes(exit))
      .map((exit) => `${exit}: in this pod alone`),
  };
}

/** What is worth a notice about pods that were not asked, or did not answer. */
export function podStatements({ pods, podCount, problem }: FleetFacts): Picture['statements'] {
  if (problem !== null) return [];
  const silent = pods.filter(({ counts }) => counts === null).map(({ name }) => name);
  const some = podCount > pods.length;
  return [
    ...(some
      ? [
          {
            reason: 'PodsSampled',
            message: `Figures of traffic are those of ${pods.length} of ${countText(podCount)} pods.`,
            nextStep: 'The boards of the chart add all pods up.',
          },
        ]
      : []),
    ...(silent.length > 0
      ? [
          {
            reason: 'PodsSilent',
            message: `${silent.length} of ${pods.length} pods did not answer: ${silent.join(', ')}.`,
            nextStep: 'What they do is missing from the figures of traffic.',
          },
        ]
      : []),
  ];
}
