import type { DriftWatch } from './drift-watch.ts';
import type { EngineReport } from './engine/engine-client.ts';
import type { InputRecorder } from './evidence/input-recorder.ts';
import type { SampleRecorder } from './evidence/sample-recorder.ts';
import type { WindowRecorder } from './evidence/window-recorder.ts';
import type { WindowRing } from './evidence/window-ring.ts';
import type { ModelShape } from './http/model-shape.ts';
import type { Batcher } from './queue/batcher.ts';
import type { PolicyApplier } from './apply-policy.ts';
import type { Safety } from './safety.ts';
import type { HeadFiles } from './store/head-files.ts';
import type { RemoteHeads } from './store/remote-heads.ts';

/** Everything that exists once the backbone is loaded. */
export interface LoadedModel {
  readonly report: EngineReport;
  readonly shape: ModelShape;
  readonly labels: readonly string[];
  readonly batcher: Batcher;
  readonly windows: WindowRecorder;
  readonly ring: WindowRing;
  readonly samples: SampleRecorder;
  /** Null: no input row is ever held. */
  readonly inputs: InputRecorder | null;
  readonly safety: Safety;
  readonly drift: DriftWatch;
  readonly heads: HeadFiles;
  readonly remote: RemoteHeads;
  readonly applier: PolicyApplier;
}

/** The one version that a server has of its one model. */
export const MODEL_VERSION = '1';
