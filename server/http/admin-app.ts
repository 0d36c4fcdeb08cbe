import express from 'express';
import type { Express } from 'express';
import type { LoadedModel } from '../loaded-model.ts';
import type { EvidenceAnswer } from '../../crds/wire/evidence.ts';
import type { LoadingState } from '../../crds/wire/loading-state.ts';
import type { ServerState } from '../../crds/wire/state.ts';
import type { PeerBook } from '../admin/peer-book.ts';
import type { ErrorObserver } from './error-handler.ts';
import { createErrorHandler, notFound } from './error-handler.ts';
import { requireRights } from './require-rights.ts';
import { drainRoute } from './routes/drain.ts';
import { evidenceRoute } from './routes/evidence.ts';
import { headRoutes } from './routes/heads.ts';
import { inputRoute } from './routes/inputs.ts';
import { policyRoute } from './routes/policy.ts';
import { sampleRoute } from './routes/samples.ts';
import { stateRoute } from './routes/state.ts';

export interface AdminAppDependencies {
  readonly loaded: () => LoadedModel | null;
  readonly peers: PeerBook;
  readonly state: (model: LoadedModel) => ServerState;
  /** Until there is a model. */
  readonly loading: () => LoadingState;
  readonly evidence: (model: LoadedModel, after: number) => EvidenceAnswer;
  /** An answer with these windows has left. */
  readonly evidenceRead: (windows: EvidenceAnswer['windows']) => void;
  /** Readiness off; resolves when nothing waits and nothing runs. */
  readonly drain: () => Promise<void>;
  readonly errors: ErrorObserver;
}

/** The admin port, for the operator and the trainer. */
export function createAdminApp(dependencies: AdminAppDependencies): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(requireRights(dependencies.peers));
  app.use(policyRoute(dependencies));
  app.use(headRoutes(dependencies));
  app.use(stateRoute(dependencies));
  app.use(evidenceRoute(dependencies));
  app.use(sampleRoute(dependencies));
  app.use(inputRoute(dependencies));
  app.use(drainRoute(dependencies));
  app.use(notFound);
  app.use(createErrorHandler(dependencies.errors));
  return app;
}
