import type { AnsweredRow } from '../queue/job.ts';
import type { InferHeaders, InferRequest } from './infer-request.ts';
import { parseInferRequest } from './infer-request.ts';
import type { AnswerNames, EncodedResponse } from './infer-response.ts';
import { encodeInferResponse } from './infer-response.ts';
import type { ModelShape } from './model-shape.ts';
import type { PredictRequest } from './predict-request.ts';
import { parsePredictRequest } from './predict-request.ts';
import { encodePredictResponse } from './predict-response.ts';

/** How bodies are read and answers written. */
export interface Protocol<T extends InferRequest> {
  readonly name: 'v1' | 'v2';
  readonly parse: (body: Buffer, headers: InferHeaders, model: ModelShape) => T;
  readonly encode: (
    request: T,
    rows: readonly AnsweredRow[],
    names: AnswerNames,
  ) => EncodedResponse;
}

/** Open Inference Protocol v2: POST /v2/models/{m}[/versions/{v}]/infer. */
export const OPEN_INFERENCE: Protocol<InferRequest> = {
  name: 'v2',
  parse: parseInferRequest,
  encode: encodeInferResponse,
};

/** TensorFlow Serving's REST API: POST /v1/models/{m}[/versions/{v}|/labels/{l}]:predict. */
export const PREDICT: Protocol<PredictRequest> = {
  name: 'v1',
  parse: parsePredictRequest,
  encode: encodePredictResponse,
};
