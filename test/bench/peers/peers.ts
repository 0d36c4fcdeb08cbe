import { BENTOML } from './bentoml.ts';
import { KSERVE } from './kserve.ts';
import { LITSERVE } from './litserve.ts';
import { MLSERVER, MLSERVER_WORKERS } from './mlserver.ts';
import type { Peer } from './peer.ts';
import { PYTRITON } from './pytriton.ts';
import { RAY_SERVE } from './ray-serve.ts';
import { TORCHSERVE } from './torchserve.ts';

/** What a user would otherwise pick. */
export const PEERS: readonly Peer[] = [
  MLSERVER,
  MLSERVER_WORKERS,
  KSERVE,
  LITSERVE,
  BENTOML,
  PYTRITON,
  RAY_SERVE,
  TORCHSERVE,
];
