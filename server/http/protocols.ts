import type { AnsweredRow } from '../queue/job.ts';
import type { Document, InferHeaders, InferRequest, OpenBody } from './infer-request.ts';
import { INFER_MEMBERS, openInferBody, parseInferDocument } from './infer-request.ts';
import type { JsonMembers } from './json-body.ts';
import { createJsonReader, readJsonObject } from './json-body.ts';
import type { AnswerNames, EncodedResponse } from './infer-response.ts';
import { encodeInferResponse } from './infer-response.ts';
import type { ModelShape } from './model-shape.ts';
import type { PredictRequest } from './predict-request.ts';
import { openPredictBody, parsePredictDocument, predictMembers } from './predict-request.ts';
import { encodePredictResponse } from './predict-response.ts';

/** How bodies are read and answers written. */
export interface Protocol<T extends InferRequest> {
  readonly name: 'v1' | 'v2';
  readonly open: (body: Buffer, headers: InferHeaders, model: ModelShape) => OpenBody;
  /** What its JSON is read for. */
  readonly members: (model: ModelShape) => JsonMembers;
  readonly parse: (document: Document, headers: InferHeaders, model: ModelShape) => T;
  readonly encode: (
    request: T,
    rows: readonly AnsweredRow[],
    names: AnswerNames,
  ) => EncodedResponse;
}

/** Open Inference Protocol v2: POST /v2/models/{m}[/versions/{v}]/infer. */
export const OPEN_INFERENCE: Protocol<InferRequest> = {
  name: 'v2',
  open: openInferBody,
  members: () => INFER_MEMBERS,
  parse: parseInferDocument,
  encode: encodeInferResponse,
};

/** TensorFlow Serving's REST API: POST /v1/models/{m}[/versions/{v}|/labels/{l}]:predict. */
export const PREDICT: Protocol<PredictRequest> = {
  name: 'v1',
  open: openPredictBody,
  members: predictMembers,
  parse: parsePredictDocument,
  encode: encodePredictResponse,
};

/** Reads a whole body at once, where nobody else waits for the event loop. */
export function parseAtOnce<T extends InferRequest>(
  { open, members, parse }: Protocol<T>,
  body: Buffer,
  headers: InferHeaders,
  model: ModelShape,
): T {
  const { json, binary } = open(body, headers, model);
  const fields =
    json === null ? null : readJsonObject(createJsonReader(json, members(model), model.limits));
  return parse({ fields, binary }, headers, model);
}
