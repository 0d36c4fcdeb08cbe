import type { IncomingMessage, ServerResponse } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { PolicyLimits } from '../../../crds/wire/policy.ts';
import { ServingError, shown } from '../../errors.ts';
import { stickyDraw } from '../../evidence/draws.ts';
import { freeLarge } from '../../engine/free-memory.ts';
import type { LoadedModel } from '../../loaded-model.ts';
import { MODEL_VERSION } from '../../loaded-model.ts';
import type { AnsweredRow, ForcedReason } from '../../queue/job.ts';
import { sourceOf } from '../../queue/source-frames.ts';
import { limitsOf } from '../../serving.ts';
import { MAX_TIMEOUT_SECONDS } from '../../limits.ts';
import type { DataAppDependencies } from '../data-app.ts';
import { decodeImages } from '../decode-images.ts';
import { readData } from '../decompress.ts';
import { createBodyBudget } from '../body-budget.ts';
import { createGate } from '../gate.ts';
import type { ImageRows, InferRequest, TensorRows } from '../infer-request.ts';
import { createJsonReader, readJsonInTurns } from '../json-body.ts';
import type { ModelShape } from '../model-shape.ts';
import type { Protocol } from '../protocols.ts';
import { HangUpError } from '../read-body.ts';
import { traceIdOf } from '../traceparent.ts';

/** Answers a request whose path is found right; rejects with what the error handler answers. */
type Inference = <T extends InferRequest>(
  protocol: Protocol<T>,
  request: IncomingMessage,
  response: ServerResponse,
) => Promise<void>;

/** Bodies decompressed at once. */
const DECOMPRESSIONS = 2;

/** Both protocols share the places for requests. */
export function createInference(dependencies: DataAppDependencies): Inference {
  const { clock, servings, lifecycle, metrics, modelName } = dependencies;
  const decompressions = createGate(DECOMPRESSIONS);
  const longReaders = createGate(1);
  const budget = createBodyBudget(
    () => dependencies.loaded()?.shape.limits.maxHeldBytes ?? Infinity,
  );
  /** Received and not answered; of these, those whose body is here. */
  let inFlight = 0;
  let answering = 0;

  return async (protocol, request, response) => {
    const receivedMs = clock.monotonicMs();
    const traceId = echoTrace(request, response);
    if (lifecycle.stage === 'Draining') throw new ServingError('draining');
    const model = dependencies.loaded();
    if (model === null) throw new ServingError('engine_down');
    const limits = limitsOf(servings.latest());
    if (answering >= limits.maxConcurrentRequests) throw tooMany(limits);
    const timeoutMs = parseTimeout(request.headers['request-timeout'], limits.requestTimeoutMs);
    inFlight += 1;
    metrics.inFlight(inFlight);
    const hold = budget.open();
    let hasPlace = false;
    try {
      const maxBytes = limits.maxRequestBytes;
      const maxDecompressedBytes = maxBytes * model.shape.limits.maxDecompressionRatio;
      const body = await readData(
        request,
        { maxBytes, maxDecompressedBytes, timeoutMs, hold },
        decompressions,
      );
      // Until its body is here a request takes no place: slow clients keep nobody else out.
      if (answering >= limits.maxConcurrentRequests) throw tooMany(limits);
      answering += 1;
      hasPlace = true;
      const parsed = await parse(protocol, body, request, model.shape);
      const asked = { parsed, model, receivedMs, timeoutMs, traceId };
      const data =
        'images' in parsed.data
          ? await decoded(parsed.data, response, asked, maxDecompressedBytes)
          : parsed.data;
      hold.resize(data.input.length);
      if (response.closed) throw new HangUpError();
      const rows = await answer(request, response, asked, data);
      // Every row was answered, so the engine has read them all. Without an answer it may still be about to. Where inputs are held,
      // they are read once more when their batch has ended.
      if (model.inputs === null) for (const bytes of [body, data.input]) freeLarge(bytes);
      respond(protocol, response, { ...asked, parsed, rows });
    } finally {
      hold.release();
      if (hasPlace) answering -= 1;
      inFlight -= 1;
      metrics.inFlight(inFlight);
    }
  };

  /** A long JSON is read in turns with everything else, and no further when its client is gone. */
  async function parse<T extends InferRequest>(
    protocol: Protocol<T>,
    body: Buffer,
    { headers, socket }: IncomingMessage,
    shape: ModelShape,
  ): Promise<T> {
    const { json, binary } = protocol.open(body, headers, shape);
    if (json === null) return protocol.parse({ fields: null, binary }, headers, shape);
    const reader = createJsonReader(json, protocol.members(shape), shape.limits);
    const check = (): void => {
      if (socket.destroyed) throw new HangUpError();
    };
    const fields = await readJsonInTurns(reader, { gate: longReaders, nextTurn, check });
    return protocol.parse({ fields, binary }, headers, shape);
  }

  /** Pictures of the request as rows, within its deadline and while its client is there. */
  async function decoded(
    data: ImageRows,
    response: ServerResponse,
    { model, receivedMs, timeoutMs }: Asked,
    maxBytes: number,
  ): Promise<TensorRows> {
    const { maxQueueLength } = limitsOf(servings.latest());
    if (data.rows > maxQueueLength) {
      throw new ServingError('too_many_rows', { value: data.rows, expected: maxQueueLength });
    }
    const ended = new AbortController();
    const hangUp = (): void => {
      ended.abort(new HangUpError());
    };
    const timer = setTimeout(
      () => {
        ended.abort(new ServingError('deadline', { value: timeoutMs / 1000 }));
      },
      Math.max(0, receivedMs + timeoutMs - clock.monotonicMs()),
    );
    response.once('close', hangUp);
    try {
      const { images: decoder } = dependencies;
      return await decodeImages(data, model.shape, { decoder, signal: ended.signal, maxBytes });
    } finally {
      clearTimeout(timer);
      response.removeListener('close', hangUp);
    }
  }

  function answer(
    request: IncomingMessage,
    response: ServerResponse,
    { parsed, model, receivedMs, timeoutMs }: Asked,
    { rows, datatype, input }: TensorRows,
  ): Promise<readonly AnsweredRow[]> {
    return new Promise((resolve, reject) => {
      const cancel = model.batcher.submit({
        rows,
        datatype,
        input,
        rowBytes: input.length / rows,
        forced: forcedReason(parsed, model),
        receivedMs,
        deadlineMs: receivedMs + timeoutMs,
        trackDraw: trackDraw(request),
        source: sourceOf(servings.latest()?.policy ?? null, request.headers),
        auditDraws: dependencies.draws.forRows(rows),
        settle: (outcome) => {
          response.removeListener('close', onClose);
          if (outcome.ok) resolve(outcome.rows);
          else reject(outcome.error);
        },
      });
      function onClose(): void {
        cancel();
        reject(new HangUpError());
      }
      response.on('close', onClose);
    });
  }

  /** Random, or the keyed hash of the header that the policy names: the same client stays on the same track. */
  function trackDraw(request: IncomingMessage): number {
    const candidate = servings.latest()?.policy?.candidate;
    if (candidate?.stickyHeader === undefined || candidate.stickyKey === undefined) {
      return dependencies.draws.next();
    }
    const value = request.headers[candidate.stickyHeader.toLowerCase()];
    return typeof value === 'string'
      ? stickyDraw(candidate.stickyKey, value)
      : dependencies.draws.next();
  }

  function respond<T extends InferRequest>(
    { name, encode }: Protocol<T>,
    response: ServerResponse,
    { parsed, model, rows, receivedMs, traceId }: Answered<T>,
  ): void {
    const { headers, body, deepest } = encode(parsed, rows, {
      model: modelName,
      version: MODEL_VERSION,
      shape: model.shape,
    });
    headers['content-length'] = Buffer.byteLength(body);
    response.writeHead(200, headers);
    response.end(body, () => {
      const seconds = (clock.monotonicMs() - receivedMs) / 1000;
      metrics.requestAnswered(deepest, seconds, { protocol: name, traceId });
    });
  }
}

function tooMany({ maxConcurrentRequests: value }: PolicyLimits): ServingError {
  return new ServingError('too_many_requests', { value });
}

interface Answered<T extends InferRequest> extends Asked {
  readonly parsed: T;
  readonly rows: readonly AnsweredRow[];
}

interface Asked {
  readonly parsed: InferRequest;
  readonly model: LoadedModel;
  readonly receivedMs: number;
  readonly timeoutMs: number;
  readonly traceId: string | null;
}

/** Whoever follows a request finds it in the answer again, whatever the answer is. */
function echoTrace({ headers }: IncomingMessage, response: ServerResponse): string | null {
  const { traceparent } = headers;
  const traceId = traceIdOf(traceparent);
  if (traceId !== null && typeof traceparent === 'string') {
    response.setHeader('traceparent', traceparent);
  }
  return traceId;
}

/** Outputs that an exit cannot supply are never made up: such a request runs to the end. */
function forcedReason(parsed: InferRequest, { shape }: LoadedModel): ForcedReason | null {
  if (parsed.isBackboneOnly) return 'opt_out';
  return parsed.outputs.some(({ index }) => index !== shape.classOutput)
    ? 'output_not_supplied'
    : null;
}

function parseTimeout(header: string | string[] | undefined, standardMs: number): number {
  if (header === undefined) return standardMs;
  const seconds =
    typeof header === 'string' && /^\d{1,4}(\.\d{1,6})?$/.test(header) ? Number(header) : 0;
  if (seconds > 0 && seconds <= MAX_TIMEOUT_SECONDS) return seconds * 1000;
  throw new ServingError('invalid_parameter', {
    field: 'Header request-timeout',
    value: shown(header),
    expected: `seconds above 0, at most ${MAX_TIMEOUT_SECONDS}`,
  });
}
