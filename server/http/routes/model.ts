import type { Request } from 'express';
import { Router } from 'express';
import { ServingError, shown } from '../../errors.ts';
import type { ServerLifecycle } from '../../lifecycle.ts';
import type { LoadedModel } from '../../loaded-model.ts';
import { MODEL_VERSION } from '../../loaded-model.ts';
import { methodNotAllowed } from '../error-handler.ts';
import { respondEmpty, respondJson } from '../respond.ts';

/** Refuses a model or version that this server does not have. */
export function checkModelPath(
  { params }: { readonly params: Request['params'] },
  modelName: string,
): void {
  const { model, version } = params;
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
}

/** GET /v2/models/{m}[/versions/{v}] and .../ready. */
export function modelRoutes(dependencies: {
  readonly modelName: string;
  readonly lifecycle: ServerLifecycle;
  readonly loaded: () => LoadedModel | null;
}): Router {
  const { modelName, lifecycle, loaded } = dependencies;
  const router = Router();
  for (const path of ['/v2/models/:model', '/v2/models/:model/versions/:version']) {
    router.get(path, (request, response) => {
      checkModelPath(request, modelName);
      const model = loaded();
      if (model === null) throw new ServingError('engine_down');
      respondJson(response, 200, JSON.stringify(describeModel(modelName, model)));
    });
    router.get(`${path}/ready`, (request, response) => {
      checkModelPath(request, modelName);
      respondEmpty(response, lifecycle.isReady() ? 200 : 503);
    });
    router.all([path, `${path}/ready`], methodNotAllowed('GET'));
  }
  return router;
}

function describeModel(name: string, { report, labels }: LoadedModel): unknown {
  const { model } = report;
  return {
    name,
    versions: [MODEL_VERSION],
    platform: `layercache_${model.format.toLowerCase()}`,
    inputs: model.inputs,
    outputs: model.outputs.map((output) => ({
      ...output,
      exitSupplies: output.name === model.outputName,
    })),
    parameters: {
      backbone_digest: model.digest,
      ...(model.outputProblem === null
        ? { class_count: model.classCount, output_kind: model.outputKind }
        : { exits_impossible: model.outputProblem.message }),
    },
    ...(labels.length > 0 ? { labels } : {}),
  };
}
