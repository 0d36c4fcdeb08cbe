import type { FaultRows } from './fault-row.ts';

/** Weights and policies. */
export const HEAD_FAULTS: FaultRows = {
  W1: {
    fault: 'a bundle is truncated, flipped, empty, huge or has trailing bytes',
    holds: 'size and digest before parsing; every single-bit flip of a small bundle is refused',
    tests: {
      'unit/crds/wire/head-bundle.test.ts': [
        'every single-bit flip of a small bundle is refused',
        'a bundle with bytes changed, cut or added at random is refused',
        'the frame is checked before anything is read',
      ],
      'unit/server/store/head-files.test.ts': [
        'every single-bit flip is refused and leaves nothing behind',
      ],
    },
  },
  W2: {
    fault: 'right digest, malformed inside',
    holds: 'no overlap, hole or overflow; every array has the length of its shape',
    tests: {
      'unit/crds/wire/head-bundle.test.ts': [
        'a bundle whose manifest differs in one field is refused or read as it stands',
        'a bundle is refused for %s',
        'bytes of the blob that nothing names are refused',
      ],
      'unit/crds/wire/codecs.test.ts': [
        'a shape whose product is zero, negative, broken or beyond 2^53 has no count',
      ],
    },
  },
  W3: {
    fault: 'heads of another tensor, shape or number of classes',
    holds: 'compared with the loaded backbone; refused, never broadcast',
    tests: {
      'unit/server/store/head-files.test.ts': ['%s is refused, never broadcast'],
      'http/reload/policies.test.ts': ['one of %s is refused, on either track'],
    },
  },
  W4: {
    fault: 'heads of another backbone with the same shapes',
    holds: 'refused by its digest; known answers differ',
    tests: {
      'http/engine/client.test.ts': [
        'refuses heads whose known answers differ',
        'refuses heads of another backbone and unknown tensors',
      ],
      'unit/server/core/known-answer.test.ts': ['a wrong head gives other answers'],
      'http/reload/policies.test.ts': ['one of another backbone is no policy at all'],
    },
  },
  W5: {
    fault: 'weights that are NaN, infinite or absurd',
    holds: 'refused at load',
    tests: {
      'unit/crds/wire/head-bundle.test.ts': [
        'weights, biases and scales must be finite, feature scales above zero',
      ],
      'unit/server/core/head.test.ts': [
        'a weight that is not a number is not hidden by the rectifier',
      ],
    },
  },
  W6: {
    fault: 'heads that are good in training and wrong on live rows',
    holds: 'shadow first; certified only on rows after the training',
    tests: {
      'faults/loop/reasons.test.ts': ['heads that keep no budget on live rows are not certified'],
      'http/local/drills.long.ts': [
        'are loaded, tested on live rows, rejected, and answer nothing',
      ],
      'cluster/loop/loop.long.ts': [
        'poisoned heads that pass every check of a file are aborted by their evidence and remembered; they answer nothing',
      ],
    },
  },
  W7: {
    fault:
      'a policy of another version, pair, grid, certificate, revision or budget; duplicate keys, __proto__, 50 MiB',
    holds: 'the whole document is refused, the one before stays, the reason is acknowledged',
    tests: {
      'unit/crds/wire/policy.test.ts': [
        'a policy is refused for %s',
        'size, depth, duplicate keys, __proto__ and unknown schemas are refused before the fields',
      ],
      'unit/crds/wire/policy-damage.test.ts': [
        'a policy that differs in one field is refused or read as it stands',
      ],
      'http/reload/policies.test.ts': ['%s, for stable', '%s: the whole document is refused'],
      'http/server/policy.test.ts': ['a body above the cap is 413'],
    },
  },
  W8: {
    fault: 'a store that is slow, gone, redirects, gives other bytes or dies in a body',
    holds: 'bounded, the digest of the whole counts; the rollout holds, stable is untouched',
    tests: {
      'http/stores/transfer.test.ts': [
        'gives nothing, over either protocol',
        'a store that is silent is left, and so is one that trickles',
        'S3 is not followed anywhere',
      ],
      'http/stores/server-heads.test.ts': ['that is %s is never loaded, and the state says why'],
      'faults/loop/remote-store.test.ts': [
        'a candidate that the store does not give stays on its first pod, and its revision says why',
        'a store that gives other bytes never brings heads to a second pod',
        'a store that goes away takes nothing from pods that have the heads, nor from a new leader',
      ],
    },
  },
  W9: {
    fault: 'half of the fleet cannot fetch',
    holds: '',
    impossible:
      'a candidate comes by push, stable by the mount, and a share counts acknowledged pods alone',
  },
  W10: {
    fault: 'the heads to roll back to are lost',
    holds:
      'stable, candidate, previous and pinned are never deleted; those of stable lie beside the policy too',
    tests: {
      'unit/operator/controllers/cache-head-revision/controller.test.ts': [
        'never deletes stable, candidate, previous, recommended, pinned and those of people',
        'never deletes what the stored policy names, or a pod acknowledges',
      ],
      'http/server/policy.test.ts': ['is applied at boot, with the head bundles that lie in it'],
      'cluster/service/head-revisions.test.ts': [
        'are verified and kept as many as asked, by a status of their own field manager',
      ],
    },
  },
};
