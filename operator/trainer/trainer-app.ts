import type { RequestListener, ServerResponse } from 'node:http';
import type { RunningJob } from './run-job.ts';

/**
 * What the trainer's admin port answers: GET /v1/state, GET /v1/bundle, POST /v1/done. Reads may be repeated; `onDone` runs once
 * the answer to POST /v1/done is out.
 */
export function createTrainerApp(
  job: Pick<RunningJob, 'state' | 'bundle'>,
  onDone: () => void,
): RequestListener {
  return (request, response) => {
    request.resume();
    const path = request.url?.split('?')[0];
    const call = `${request.method ?? ''} ${path ?? ''}`;
    switch (call) {
      case 'GET /v1/state':
        sendJson(response, 200, job.state());
        return;
      case 'GET /v1/bundle':
        sendBundle(response, job);
        return;
      case 'POST /v1/done':
        response.once('finish', onDone);
        sendJson(response, 200, {});
        return;
      default:
        sendError(
          response,
          404,
          `There is no ${call}; this port has GET /v1/state, GET /v1/bundle and POST /v1/done.`,
        );
    }
  };
}

function sendBundle(response: ServerResponse, job: Pick<RunningJob, 'state' | 'bundle'>): void {
  const bytes = job.bundle();
  if (bytes === null) {
    const { state, message } = job.state();
    sendError(
      response,
      409,
      `There is no bundle, the state is ${state}: ${message} Read GET /v1/state first.`,
    );
    return;
  }
  response.writeHead(200, {
    'content-type': 'application/octet-stream',
    'content-length': bytes.length,
  });
  response.end(bytes);
}

function sendError(response: ServerResponse, status: number, error: string): void {
  sendJson(response, status, { error });
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': bytes.length,
  });
  response.end(bytes);
}
