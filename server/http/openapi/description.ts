import type { ErrorCode } from '../../errors.ts';
import type { DataPath, DataRoute } from '../data-routes.ts';
import { IMAGE_TYPES } from '../infer-request.ts';
import { EVERYWHERE, OF_INFERENCE, OF_MODEL, errorResponse, errorResponses } from './errors.ts';
import { SCHEMAS, ref } from './schemas.ts';

type Method = DataRoute['method'];
type PathItem = Readonly<Partial<Record<Method | 'parameters', unknown>>>;

/** The data port in OpenAPI 3.1, as `GET /openapi.json` answers it. */
export function describeDataPort({
  modelName,
  version,
}: {
  readonly modelName: string;
  readonly version: string;
}): unknown {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Layercache model server',
      summary: 'Open Inference Protocol v2 and TensorFlow Serving v1, over one model',
      version,
      license: { name: 'Apache 2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: [
      { name: 'v2', description: 'Open Inference Protocol, with binary tensors' },
      { name: 'v1', description: "TensorFlow Serving's REST API" },
      { name: 'server' },
    ],
    paths: describePaths(modelName),
    components: { schemas: SCHEMAS },
  };
}

function describePaths(modelName: string): Readonly<Record<DataPath, PathItem>> {
  const model = pathParameter('model', modelName);
  const version = pathParameter('version', '1');
  const label = pathParameter('label', 'stable');
  return {
    '/': { get: read('getRoot', 'server', 'Alive') },
    '/openapi.json': {
      get: {
        operationId: 'getDescription',
        tags: ['server'],
        responses: { 200: json({ type: 'object' }, 'This document.'), ...others() },
      },
    },
    '/v2': { get: read('getServer', 'v2', 'ServerMetadata') },
    '/v2/health/live': { get: read('getLive', 'v2', 'Live') },
    '/v2/health/ready': { get: readiness('getReady', 'Ready', []) },
    '/v2/models/{model}': {
      parameters: [model],
      get: read('getModel', 'v2', 'ModelMetadata', [...OF_MODEL, 'engine_down']),
    },
    '/v2/models/{model}/ready': {
      parameters: [model],
      get: readiness('getModelReady', 'ModelReady', OF_MODEL),
    },
    '/v2/models/{model}/infer': { parameters: [model], post: infer('infer') },
    '/v2/models/{model}/versions/{version}': {
      parameters: [model, version],
      get: read('getModelVersion', 'v2', 'ModelMetadata', [...OF_MODEL, 'engine_down']),
    },
    '/v2/models/{model}/versions/{version}/ready': {
      parameters: [model, version],
      get: readiness('getModelVersionReady', 'ModelReady', OF_MODEL),
    },
    '/v2/models/{model}/versions/{version}/infer': {
      parameters: [model, version],
      post: infer('inferVersion'),
    },
    '/v1/models': { get: read('listModels', 'v1', 'ModelList') },
    '/v1/models/{model}:predict': { parameters: [model], post: predict('predict') },
    '/v1/models/{model}/versions/{version}:predict': {
      parameters: [model, version],
      post: predict('predictVersion'),
    },
    '/v1/models/{model}/labels/{label}:predict': {
      parameters: [model, label],
      post: predict('predictLabel', ['label_not_found']),
    },
    ...servedPaths('/v1/models/{model}', '', [model], []),
    ...servedPaths('/v1/models/{model}/versions/{version}', 'Version', [model, version], []),
    ...servedPaths(
      '/v1/models/{model}/labels/{label}',
      'Label',
      [model, label],
      ['label_not_found'],
    ),
  };
}

function servedPaths<P extends string>(
  path: P,
  suffix: string,
  parameters: readonly unknown[],
  codes: readonly ErrorCode[],
): Record<P | `${P}/metadata`, PathItem> {
  const status = [...OF_MODEL, ...codes, 'draining', 'engine_down'] as const;
  const metadata = [...OF_MODEL, ...codes, 'engine_down'] as const;
  return {
    [path]: { parameters, get: read(`getStatus${suffix}`, 'v1', 'ModelStatus', status) },
    [`${path}/metadata`]: {
      parameters,
      get: read(`getSignature${suffix}`, 'v1', 'SignatureMetadata', metadata),
    },
  } as Record<P | `${P}/metadata`, PathItem>;
}

function pathParameter(name: string, example: string): unknown {
  return { name, in: 'path', required: true, schema: { type: 'string' }, example };
}

function json(schema: unknown, description: string, headers: object = {}): unknown {
  return { description, ...headers, content: { 'application/json': { schema } } };
}

function others(): Record<string, unknown> {
  return { default: errorResponse(EVERYWHERE) };
}

function read(
  operationId: string,
  tag: string,
  schema: keyof typeof SCHEMAS,
  codes: readonly ErrorCode[] = [],
): unknown {
  return {
    operationId,
    tags: [tag],
    responses: { 200: json(ref(schema), 'OK'), ...errorResponses(codes), ...others() },
  };
}

/** 503 is an answer too: the same document, which says no. */
function readiness(
  operationId: string,
  schema: keyof typeof SCHEMAS,
  codes: readonly ErrorCode[],
): unknown {
  return {
    operationId,
    tags: ['v2'],
    responses: {
      200: json(ref(schema), 'Ready'),
      503: json(ref(schema), 'Not ready'),
      ...errorResponses(codes),
      ...others(),
    },
  };
}

const REQUEST_HEADERS = [
  header(
    'request-timeout',
    { type: 'number', exclusiveMinimum: 0, maximum: 3600 },
    'Seconds to the answer.',
  ),
  header('layercache-mode', { enum: ['auto', 'backbone'] }, 'backbone: no exit may answer.'),
  header('content-encoding', { enum: ['gzip', 'deflate', 'br', 'identity'] }, 'Of the body.'),
];

function header(name: string, schema: object, description: string): unknown {
  return { name, in: 'header', required: false, schema, description };
}

const ANSWERED_BY = {
  headers: {
    'layercache-exit': {
      description: 'The exit whose head answered, or backbone.',
      schema: { type: 'string' },
    },
    'layercache-policy': { description: 'epoch.revision', schema: { type: 'string' } },
  },
};

const BINARY = { schema: { type: 'string', contentMediaType: 'application/octet-stream' } };

function infer(operationId: string): unknown {
  const example = {
    id: '42',
    inputs: [{ name: 'input', shape: [1, 2], datatype: 'FP32', data: [0.5, 1.5] }],
    outputs: [{ name: 'scores' }],
  };
  const codes = [...OF_INFERENCE, 'unknown_output', 'unsupported_media_type'] as const;
  return {
    operationId,
    tags: ['v2'],
    parameters: [
      ...REQUEST_HEADERS,
      header(
        'inference-header-content-length',
        { type: 'integer' },
        'Bytes of the JSON part, when tensors follow it as binary.',
      ),
    ],
    requestBody: {
      required: true,
      content: {
        'application/json': { schema: ref('InferRequest'), example },
        'application/octet-stream': BINARY,
        ...Object.fromEntries([...IMAGE_TYPES].map((type) => [type, BINARY])),
      },
    },
    responses: {
      200: {
        description: 'The outputs that were asked for.',
        ...ANSWERED_BY,
        content: {
          'application/json': {
            schema: ref('InferResponse'),
            example: {
              model_name: 'digits',
              model_version: '1',
              id: '42',
              parameters: {
                layercache_exit: 'early',
                layercache_score: 0.997,
                layercache_policy: '3.14',
                layercache_head_revision: `sha256:${'0'.repeat(64)}`,
                layercache_track: 'stable',
              },
              outputs: [{ name: 'scores', datatype: 'FP32', shape: [1, 3], data: [0.1, 2.5, 0.3] }],
            },
          },
          'application/octet-stream': BINARY,
        },
      },
      ...errorResponses(codes),
      ...others(),
    },
  };
}

function predict(operationId: string, codes: readonly ErrorCode[] = []): unknown {
  return {
    operationId,
    tags: ['v1'],
    parameters: REQUEST_HEADERS,
    requestBody: {
      required: true,
      content: {
        'application/json': {
          schema: ref('PredictRequest'),
          examples: {
            rows: { value: { instances: [[0.5, 1.5]] } },
            namedRows: { value: { instances: [{ input: [0.5, 1.5] }] } },
            columns: { value: { inputs: { input: [[0.5, 1.5]] } } },
            pictures: { value: { instances: [{ b64: 'iVBORw0KGgo=' }] } },
          },
        },
      },
    },
    responses: {
      200: {
        ...(json(ref('PredictResponse'), 'All outputs of the model.', ANSWERED_BY) as object),
      },
      ...errorResponses([...OF_INFERENCE, 'unknown_signature', ...codes]),
      ...others(),
    },
  };
}
