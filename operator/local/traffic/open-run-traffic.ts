import type { ServerState } from '../../../crds/wire/state.ts';
import { CliError } from '../../errors.ts';
import type { RunContext } from '../run-context.ts';
import type { RunOptions } from '../run-options.ts';
import { openImages } from './images.ts';
import { loadModelDescription, type ModelDescriptionFile } from './model-description.ts';
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
  /** What is no error, and worth a look. */
  readonly onWarning: (message: string) => void;
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
  const name = `${flag} ${source}`;
  const description = loadModelDescription(model.path);
  if (!source.startsWith('images:') || source === 'images:') {
    const opened = await openTraffic(source, flag);
    if (opened.element === 'u1') warnOfBytes(name, description, model);
    return opened;
  }
  warnOfBytes(name, description, model);
  const isDescribed = description.input?.image?.colors !== undefined;
  const state = isDescribed ? null : await model.state();
  return openImages({
    folder: source.slice('images:'.length),
    name,
    size: pictureSize(description, state?.backbone.inputs ?? [], name),
    classNames: classNamesOf(description),
    onSkipped: model.onWarning,
  });
}

/** Folders of frames say where they come from, not what is on them. */
function classNamesOf({ task, labels = [] }: ModelDescriptionFile): readonly string[] | null {
  return task === 'Detection' ? null : labels;
}

/** A model that learnt on 0 to 1 and is fed 0 to 255 answers something all the same, and nothing else would show it. */
function warnOfBytes(name: string, { input }: ModelDescriptionFile, model: ModelAtHand): void {
  const { scale, mean = [], std = [] } = input ?? {};
  if (scale !== undefined || mean.length > 0 || std.length > 0) return;
  model.onWarning(
    `${name}: its bytes go into the model as 0 to 255, since no layercache.json beside it names a scale. For 0 to 1 write ` +
      `{"input": {"scale": ${1 / 255}}} there; "scale": 1 says that 0 to 255 is right.`,
  );
}
