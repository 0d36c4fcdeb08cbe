import type { ServerState } from '../../../crds/wire/state.ts';
import { CliError } from '../../errors.ts';
import type { RunContext } from '../run-context.ts';
import type { RunOptions } from '../run-options.ts';
import { openImages } from './images.ts';
import { loadModelDescription } from './model-description.ts';
import { openLabels } from './open-labels.ts';
import { openTraffic } from './open-traffic.ts';
import { pictureSize } from './picture-size.ts';
import type { TrafficSource } from './source.ts';

export type OpenedTraffic = Pick<RunContext, 'traffic' | 'headTraffic' | 'labels'>;

/** What a source may need of the model. */
export interface ModelAtHand {
  readonly path: string;
  /** Resolves once a server has loaded it; only pictures of no described size wait for it. */
  readonly state: () => Promise<Pick<ServerState, 'backbone'> | null>;
  readonly onSkipped: (message: string) => void;
}

/** The word for requests that the user sends himself. */
const USER = 'http';

/** Everything that can be wrong with the rows is said before the first of them is sent. */
export async function openRunTraffic(
  options: RunOptions,
  model: ModelAtHand,
): Promise<OpenedTraffic> {
  if (options.traffic === USER) return userTraffic(options);
  const traffic = await openSource(options.traffic, '--traffic', model);
  const headTraffic =
    options.headTraffic === null
      ? null
      : await openSource(options.headTraffic, '--head-traffic', model);
  const labels = options.labels === null ? traffic.labels : openLabels(options.labels, traffic);
  return { traffic, headTraffic, labels };
}

/** Flags about rows of ours mean nothing there: better said than ignored. */
function userTraffic(options: RunOptions): OpenedTraffic {
  const { headTraffic, labels, requests, rate, loop, drills } = options;
  const flag = [
    headTraffic === null ? null : '--head-traffic',
    labels === null ? null : '--labels',
    requests === null ? null : '--requests',
    rate === null ? null : '--rate',
    loop ? '--loop' : null,
    drills.drift === null ? null : '--drift',
  ].find((name) => name !== null);
  if (flag === undefined) return { traffic: null, headTraffic: null, labels: null };
  throw new CliError('UsageError', {
    where: `--traffic ${USER} ${flag}`,
    why: 'the rows are those that you send to the predict address, and the flag is about rows that the run sends.',
    nextStep: `Leave ${flag} out, or name a source of rows with --traffic.`,
  });
}

async function openSource(
  source: string,
  flag: string,
  model: ModelAtHand,
): Promise<TrafficSource> {
  if (!source.startsWith('images:') || source === 'images:') return await openTraffic(source, flag);
  const name = `${flag} ${source}`;
  const description = loadModelDescription(model.path);
  const isDescribed = description.input?.image?.colors !== undefined;
  const state = isDescribed ? null : await model.state();
  return openImages({
    folder: source.slice('images:'.length),
    name,
    size: pictureSize(description, state?.backbone.inputs ?? [], name),
    classNames: description.labels ?? [],
    onSkipped: model.onSkipped,
  });
}
