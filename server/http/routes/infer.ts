import type { IncomingMessage, ServerResponse } from 'node:http';
import { ServingError, shown } from '../../errors.ts';
import { stickyDraw } from '../../evidence/draws.ts';
import type { LoadedModel } from '../../loaded-model.ts';
import { MODEL_VERSION } from '../../loaded-model.ts';
import type { AnsweredRow, ForcedReason } from '../../queue/job.ts';
import { limitsOf } from '../../serving.ts';
import type { DataAppDependencies } from '../data-app.ts';
import type { InferRequest } from '../infer-request.ts';
import { parseInferRequest } from '../infer-request.ts';
import { encodeInferResponse } from '../infer-response.ts';
import { HangUpError, readBody } from '../read-body.ts';

const MAX_TIMEOUT_SECONDS = 3_600;

/** Answers a request; rejects with what the error handler answers. */
type Inference = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** POST /v2/models/{m}[/versions/{v}]/infer, once the path is found right. */
export function createInference(dependencies: DataAppDependencies): Inference {
  const { clock, servings, lifecycle, metrics, modelName } = dependencies;
  let inFlight = 0;

  return async (request, response) => {
    const receivedMs = clock.monotonicMs();
    if (lifecycle.stage === 'Draining') throw new ServingError('draining');
    const model = dependencies.loaded();
    if (model === null) throw new ServingError('engine_down');
    const limits = limitsOf(servings.latest());
    if (inFlight >= limits.maxConcurrentRequests) {
      throw new ServingError('too_many_requests', { value: limits.maxConcurrentRequests });
    }
    const timeoutMs = parseTimeout(request.headers['request-timeout'], limits.requestTimeoutMs);
    inFlight += 1;
    metrics.inFlight(inFlight);
    try {
      const body = await readBody(request, { maxBytes: limits.maxRequestBytes, timeoutMs });
      const parsed = parseInferRequest(body, request.headers, model.shape);
      const rows = await answer(request, response, { parsed, model, receivedMs, timeoutMs });
      respond(response, { parsed, model, rows, receivedMs });
    } finally {
      inFlight -= 1;
      metrics.inFlight(inFlight);
    }
  };

  function answer(
    request: IncomingMessage,
    response: ServerResponse,
    { parsed, model, receivedMs, timeoutMs }: Asked,
  ): Promise<readonly AnsweredRow[]> {
    return new Promise((resolve, reject) => {
      const cancel = model.batcher.submit({
        rows: parsed.rows,
        datatype: parsed.datatype,
        input: parsed.input,
        rowBytes: parsed.input.length / parsed.rows,
        forced: forcedReason(parsed, model),
        receivedMs,
        deadlineMs: receivedMs + timeoutMs,
        trackDraw: trackDraw(request),
        auditDraws: dependencies.draws.forRows(parsed.rows),
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

  function respond(
    response: ServerResponse,
    {
      parsed,
      model,
      rows,
      receivedMs,
    }: Omit<Asked, 'timeoutMs'> & { readonly rows: readonly AnsweredRow[] },
  ): void {
    const { headers, body, deepest } = encodeInferResponse(parsed, rows, {
      model: modelName,
      version: MODEL_VERSION,
      shape: model.shape,
    });
    headers['content-length'] = Buffer.byteLength(body);
    if (lifecycle.stage !== 'Serving') headers.connection = 'close';
    response.writeHead(200, headers);
    response.end(body, () => {
      metrics.requestAnswered(deepest, (clock.monotonicMs() - receivedMs) / 1000);
    });
  }
}

interface Asked {
  readonly parsed: InferRequest;
  readonly model: LoadedModel;
  readonly receivedMs: number;
  readonly timeoutMs: number;
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
