import type { Response } from 'express';

/** Answers without Express's send: no ETag, no content negotiation, one write. */
export function respondJson(response: Response, status: number, text: string): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}

export function respondEmpty(response: Response, status: number): void {
  response.writeHead(status, { 'content-length': 0 });
  response.end();
}
