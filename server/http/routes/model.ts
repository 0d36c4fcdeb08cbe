import { ServingError, shown } from '../../errors.ts';
import type { ImageInput } from '../../image/image-input.ts';
import type { ModelDescription } from '../../engine/segment-engine.ts';
import type { LoadedModel } from '../../loaded-model.ts';
import { MODEL_VERSION } from '../../loaded-model.ts';
import type { ServerLifecycle } from '../../lifecycle.ts';
import type { ServingControl } from '../../serving.ts';
import { trackOf } from '../../serving.ts';
import type { DataPath, DataRoute } from '../data-routes.ts';
import { IMAGE_TYPES } from '../infer-request.ts';
import { respondJson } from '../respond.ts';
import { requireLoaded } from './loaded.ts';

export interface ModelDependencies {
  readonly modelName: string;
  readonly lifecycle: ServerLifecycle;
  readonly servings: ServingControl;
  readonly loaded: () => LoadedModel | null;
}

/** Refuses a model, version or label that this server does not have. */
export function checkModelPath(
  { model, version, label }: Readonly<Record<string, string | string[] | undefined>>,
  { modelName, servings }: Pick<ModelDependencies, 'modelName' | 'servings'>,
): void {
  if (model !== modelName) {
    throw new ServingError('model_not_found', { name: shown(model), expected: modelName });
  }
  if (version !== undefined && version !== MODEL_VERSION) {
    throw new ServingError('version_not_found', {
      name: modelName,
      value: shown(version),
      expected: MODEL_VERSION,
    });
  }
  if (label !== undefined) checkLabel(label, modelName, servings);
}

/**
 * Labels name versions, and there is one: `stable` always does, `candidate` while candidate heads are loaded. Neither chooses who
 * answers a row; the policy does.
 */
function checkLabel(label: string | string[], name: string, servings: ServingControl): void {
  const serving = servings.latest();
  const hasCandidate = serving !== null && trackOf(serving, 'candidate') !== null;
  const labels = hasCandidate ? ['stable', 'candidate'] : ['stable'];
  if (labels.some((known) => known === label)) return;
  throw new ServingError('label_not_found', {
    name,
    value: shown(label),
    expected: labels.join(' and '),
  });
}

type ModelPath = Extract<
  DataPath,
  | '/v2/models/{model}'
  | '/v2/models/{model}/ready'
  | '/v2/models/{model}/versions/{version}'
  | '/v2/models/{model}/versions/{version}/ready'
>;

/** GET /v2/models/{m}[/versions/{v}] and .../ready. */
export function modelHandlers(
  dependencies: ModelDependencies,
): Readonly<Record<ModelPath, DataRoute>> {
  const { modelName, lifecycle, loaded } = dependencies;
  const metadata: DataRoute = {
    method: 'get',
    handler: (request, response) => {
      checkModelPath(request.params, dependencies);
      respondJson(response, 200, JSON.stringify(describeModel(modelName, requireLoaded(loaded))));
    },
  };
  const ready: DataRoute = {
    method: 'get',
    handler: (request, response) => {
      checkModelPath(request.params, dependencies);
      const isReady = lifecycle.isReady();
      const text = JSON.stringify({ name: modelName, ready: isReady });
      respondJson(response, isReady ? 200 : 503, text);
    },
  };
  return {
    '/v2/models/{model}': metadata,
    '/v2/models/{model}/versions/{version}': metadata,
    '/v2/models/{model}/ready': ready,
    '/v2/models/{model}/versions/{version}/ready': ready,
  };
}

/** `<project>_<format>`; the first is one that the protocol itself lists. */
const PLATFORMS = {
  ONNX: 'onnx_onnxv1',
  TFJSGraphModel: 'tensorflowjs_graphmodel',
  TFJSLayersModel: 'tensorflowjs_layersmodel',
  SavedModel: 'tensorflow_savedmodel',
} as const;

function describeModel(name: string, { report, labels, shape }: LoadedModel): unknown {
  const { model } = report;
  return {
    name,
    versions: [MODEL_VERSION],
    platform: PLATFORMS[model.format],
    inputs: model.inputs,
    outputs: model.outputs.map((output) => ({
      ...output,
      exitSupplies: output.name === model.outputName,
    })),
    parameters: {
      backbone_digest: model.digest,
      ...answerParameters(model),
    },
    ...(shape.image === null ? {} : { image: describeImage(shape.image) }),
    ...(labels.length > 0 ? { labels } : {}),
  };
}

function answerParameters({
  outputProblem,
  outputKind,
  classCount,
  detection,
}: ModelDescription): Readonly<Record<string, unknown>> {
  if (outputProblem !== null) return { exits_impossible: outputProblem.message };
  if (detection === undefined) return { class_count: classCount, output_kind: outputKind };
  const { objectCount, cut } = detection;
  return { task: 'Detection', object_count: objectCount, least_score: cut };
}

function describeImage({ width, height, channels, resize, isBgr }: ImageInput): unknown {
  const colors = channels === 1 ? 'Gray' : isBgr ? 'BGR' : 'RGB';
  return { types: [...IMAGE_TYPES], width, height, colors, resize };
}
