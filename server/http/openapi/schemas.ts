// JSON Schema (2020-12, as OpenAPI 3.1 has it) of every document of the data port.

type Schema = Readonly<Record<string, unknown>>;

const text: Schema = { type: 'string' };
const truth: Schema = { type: 'boolean' };

export function ref(name: keyof typeof SCHEMAS): Schema {
  return { $ref: `#/components/schemas/${name}` };
}

function list(items: Schema, more: Schema = {}): Schema {
  return { type: 'array', items, ...more };
}

function object(
  properties: Readonly<Record<string, Schema>>,
  optional: readonly string[] = [],
): Schema {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: 'object', properties, required };
}

/** Every property is known. */
function closed(
  properties: Readonly<Record<string, Schema>>,
  optional?: readonly string[],
): Schema {
  return { ...object(properties, optional), additionalProperties: false };
}

const parameters: Schema = {
  type: 'object',
  additionalProperties: { type: ['string', 'number', 'boolean'] },
};

const shape = list({ type: 'integer' });

const tensorInfos: Schema = {
  type: 'object',
  additionalProperties: closed({
    name: text,
    dtype: { type: 'string', pattern: '^DT_' },
    tensor_shape: closed({
      dim: list(closed({ size: text, name: text })),
      unknown_rank: truth,
    }),
  }),
};

const base64: Schema = closed({ b64: text });

export const SCHEMAS = {
  Error: {
    ...closed({ error: text }),
    description: 'One sentence: what is wrong, and what to do.',
  },
  Alive: closed({ status: { const: 'alive' } }),
  Live: closed({ live: truth }),
  Ready: closed({ ready: truth }),
  ServerMetadata: closed({ name: text, version: text, extensions: list(text) }),
  ModelReady: closed({ name: text, ready: truth }),
  ModelMetadata: closed(
    {
      name: text,
      versions: list(text),
      platform: text,
      inputs: list({ $ref: '#/components/schemas/TensorMetadata' }),
      outputs: list({
        ...object({
          name: text,
          datatype: text,
          shape,
          exitSupplies: {
            type: 'boolean',
            description:
              'Whether an early exit can supply this output; a request for any other runs to the end.',
          },
        }),
      }),
      parameters,
      image: {
        ...closed({
          types: list(text),
          width: { type: 'integer' },
          height: { type: 'integer' },
          colors: { enum: ['RGB', 'BGR', 'Gray'] },
          resize: { enum: ['Cover', 'Contain', 'Fill'] },
        }),
        description: 'There when the server decodes pictures for this model.',
      },
      labels: list(text, {
        description: 'Names of the classes, in the order of the class output.',
      }),
    },
    ['image', 'labels'],
  ),
  TensorMetadata: closed({ name: text, datatype: text, shape }),
  TensorData: {
    description:
      'Elements in row-major order, flat or nested as the shape says. BYTES: each a picture in base64.',
    type: 'array',
    items: {
      anyOf: [{ $ref: '#/components/schemas/TensorData' }, { type: ['number', 'string', 'null'] }],
    },
  },
  InferRequest: object(
    {
      id: { type: 'string', maxLength: 128, pattern: '^[\\x20-\\x7e]*$' },
      parameters: {
        ...object(
          {
            binary_data_output: truth,
            layercache_mode: {
              enum: ['auto', 'backbone'],
              description: 'backbone: no exit may answer this request.',
            },
          },
          ['binary_data_output', 'layercache_mode'],
        ),
        additionalProperties: { type: ['string', 'number', 'boolean'] },
      },
      inputs: list(
        object(
          {
            name: text,
            shape: list({ type: 'integer', minimum: 1 }),
            datatype: { enum: ['FP32', 'FP16', 'FP64', 'UINT8', 'BYTES'] },
            parameters: object({ binary_data_size: { type: 'integer', minimum: 0 } }, [
              'binary_data_size',
            ]),
            data: { $ref: '#/components/schemas/TensorData' },
          },
          ['parameters', 'data'],
        ),
        { minItems: 1, maxItems: 1 },
      ),
      outputs: list(
        object({ name: text, parameters: object({ binary_data: truth }, ['binary_data']) }, [
          'parameters',
        ]),
      ),
    },
    ['id', 'parameters', 'outputs'],
  ),
  InferResponse: closed(
    {
      model_name: text,
      model_version: text,
      id: text,
      parameters: {
        ...object(
          {
            layercache_exit: {
              type: 'string',
              description:
                'The exit whose head answered, or backbone; of several rows the one that went deepest.',
            },
            layercache_exits: {
              type: 'string',
              description: 'One name a row, when there are several.',
            },
            layercache_score: { type: 'number', minimum: 0, maximum: 1 },
            layercache_policy: { type: 'string', pattern: '^[0-9]+\\.[0-9]+(,[0-9]+\\.[0-9]+)*$' },
            layercache_head_revision: text,
            layercache_track: text,
          },
          ['layercache_exits', 'layercache_score', 'layercache_head_revision'],
        ),
        additionalProperties: false,
      },
      outputs: list(
        closed(
          {
            name: text,
            datatype: text,
            shape,
            parameters: closed({ binary_data_size: { type: 'integer' } }),
            data: { $ref: '#/components/schemas/TensorData' },
          },
          ['parameters', 'data'],
        ),
      ),
    },
    ['id'],
  ),
  PredictRequest: {
    oneOf: [
      object(
        {
          signature_name: text,
          instances: list(
            {},
            {
              minItems: 1,
              description:
                'One item a row: its value, or an object that names the input; a picture is {"b64": "..."}.',
            },
          ),
        },
        ['signature_name'],
      ),
      object(
        {
          signature_name: text,
          inputs: {
            description: 'All rows of the input, or an object that names it.',
            anyOf: [list({}, { minItems: 1 }), base64, { type: 'object' }],
          },
        },
        ['signature_name'],
      ),
    ],
  },
  PredictResponse: {
    oneOf: [closed({ predictions: list({}) }), closed({ outputs: { type: ['array', 'object'] } })],
  },
  ModelList: closed({ models: list(text) }),
  ModelStatus: closed({
    name: text,
    ready: truth,
    model_version_status: list(
      closed({
        version: text,
        state: { enum: ['AVAILABLE'] },
        status: closed({ error_code: text, error_message: text }),
      }),
    ),
  }),
  SignatureMetadata: closed({
    model_spec: closed({ name: text, signature_name: text, version: text }),
    metadata: closed({
      signature_def: closed({
        signature_def: {
          type: 'object',
          additionalProperties: closed({
            inputs: tensorInfos,
            outputs: tensorInfos,
            method_name: text,
          }),
        },
      }),
    }),
  }),
} as const;
