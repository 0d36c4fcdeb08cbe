import { ServingError } from '../../errors.ts';
import type { TensorSpec } from '../../../crds/wire/state.ts';
import type { LoadedModel } from '../../loaded-model.ts';
import { MODEL_VERSION } from '../../loaded-model.ts';
import type { DataPath, DataRoute } from '../data-routes.ts';
import { SIGNATURE } from '../predict-request.ts';
import { respondJson } from '../respond.ts';
import { requireLoaded } from './loaded.ts';
import type { ModelDependencies } from './model.ts';
import { checkModelPath } from './model.ts';

type ServedModelPath = Exclude<Extract<DataPath, `/v1/models${string}`>, `${string}:predict`>;

/** TensorFlow Serving's status and metadata, and the fields that KServe's first protocol has at the same paths. */
export function servedModelHandlers(
  dependencies: ModelDependencies,
): Readonly<Record<ServedModelPath, DataRoute>> {
  const { modelName, lifecycle, loaded } = dependencies;
  const status: DataRoute = {
    method: 'get',
    handler: (request, response) => {
      checkModelPath(request.params, dependencies);
      if (lifecycle.stage === 'Draining' || lifecycle.stage === 'Leaving') {
        throw new ServingError('draining');
      }
      if (!lifecycle.isReady()) throw new ServingError('engine_down');
      respondJson(response, 200, JSON.stringify(describeStatus(modelName)));
    },
  };
  const metadata: DataRoute = {
    method: 'get',
    handler: (request, response) => {
      checkModelPath(request.params, dependencies);
      const text = JSON.stringify(describeSignature(modelName, requireLoaded(loaded)));
      respondJson(response, 200, text);
    },
  };
  return {
    '/v1/models': {
      method: 'get',
      handler: (_, response) => {
        respondJson(response, 200, JSON.stringify({ models: [modelName] }));
      },
    },
    '/v1/models/{model}': status,
    '/v1/models/{model}/versions/{version}': status,
    '/v1/models/{model}/labels/{label}': status,
    '/v1/models/{model}/metadata': metadata,
    '/v1/models/{model}/versions/{version}/metadata': metadata,
    '/v1/models/{model}/labels/{label}/metadata': metadata,
  };
}

function describeStatus(name: string): unknown {
  return {
    name,
    ready: true,
    model_version_status: [
      {
        version: MODEL_VERSION,
        state: 'AVAILABLE',
        status: { error_code: 'OK', error_message: '' },
      },
    ],
  };
}

function describeSignature(name: string, { report }: LoadedModel): unknown {
  const { inputs, outputs } = report.model;
  return {
    model_spec: { name, signature_name: '', version: MODEL_VERSION },
    metadata: {
      signature_def: {
        signature_def: {
          [SIGNATURE]: {
            inputs: toTensorInfos(inputs),
            outputs: toTensorInfos(outputs),
            method_name: 'tensorflow/serving/predict',
          },
        },
      },
    },
  };
}

/** Datatypes of the open protocol in TensorFlow's words. */
const TYPES: Readonly<Record<string, string>> = {
  BOOL: 'DT_BOOL',
  UINT8: 'DT_UINT8',
  INT8: 'DT_INT8',
  INT32: 'DT_INT32',
  INT64: 'DT_INT64',
  FP16: 'DT_HALF',
  FP32: 'DT_FLOAT',
  FP64: 'DT_DOUBLE',
};

function toTensorInfos(tensors: readonly TensorSpec[]): unknown {
  return Object.fromEntries(
    tensors.map(({ name, datatype, shape }) => [
      name,
      {
        name,
        dtype: TYPES[datatype] ?? 'DT_INVALID',
        tensor_shape: {
          dim: shape.map((size) => ({ size: String(size), name: '' })),
          unknown_rank: false,
        },
      },
    ]),
  );
}
