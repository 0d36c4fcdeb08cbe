import type { REASON_GROUPS } from '../../v1alpha1/reasons.ts';
import type { ReasonPage } from './reason-page.ts';

const CONDITIONS =
  '`kubectl -n NAMESPACE get cachedmodelservice NAME -o jsonpath={.status.conditions}`';
const LAST_FAILURE =
  '`kubectl -n NAMESPACE get cachedmodelservice NAME -o jsonpath={.status.lastFailure}` names pod, cause and time.';
const OLD_LOG = '`kubectl -n NAMESPACE logs -p POD`';
const DESCRIBE_POD = '`kubectl -n NAMESPACE describe pod POD`';

export const SERVICE_PAGES = {
  Serving: {
    seen: ['Ready=True', 'ExitsActive=True'],
    check: 'Nothing is wrong: column Exited says how many requests leave early.',
  },
  Accepted: {
    seen: ['Valid=True'],
    check:
      'The message also says if pods stay as a newer operator made them, after a rollback of the operator.',
  },
  InvalidSpec: {
    seen: ['Valid=False', 'Ready=False', 'Stalled=True', 'ExitsActive=Unknown', 'event'],
    check:
      'The message names the field. `layercache validate -f FILE` shows every problem of a manifest at once. What ran before goes on running.',
  },
  NameConflict: {
    seen: ['Valid=False', 'Valid=Unknown', 'Ready=False', 'Stalled=True', 'event'],
    check:
      'The message names kind and name; `kubectl -n NAMESPACE get deployment,service,configmap,secret,serviceaccount NAME --ignore-not-found -o wide` shows it. With status Unknown it is being deleted.',
  },
  ForeignOperator: {
    seen: ['Contested=True', 'Ready=False', 'event'],
    check:
      'The message names both installations. `kubectl -n NAMESPACE get configmap NAME-policy -o jsonpath={.metadata.annotations}` shows which one writes.',
  },
  PodTemplateRejected: {
    seen: ['Valid=False', 'Ready=False', 'Stalled=True', 'event'],
    check: 'The message quotes the API server: path of the field, then the cause.',
  },
  ConfigMapNotFound: {
    seen: ['Valid=False', 'Ready=False', 'Stalled=True', 'event'],
    check:
      'The message names ConfigMap and field. `kubectl -n NAMESPACE get configmaps` lists those that are there: a name may be misspelt, or the ConfigMap in another namespace.',
  },
  MinimumReplicasAvailable: {
    seen: ['Available=True'],
    check: 'The message counts ready pods, and names one that is not.',
  },
  Starting: {
    seen: ['Available=False', 'Available=Unknown', 'Ready=False', 'ExitsActive=Unknown'],
    check:
      'The message says what the first pod waits for. A large backbone takes its time: `kubectl -n NAMESPACE logs POD` tells of fetch, load and warm-up.',
  },
  Updating: {
    seen: ['Available=False', 'Available=Unknown', 'Ready=False', 'Ready=Unknown'],
    check: 'The message counts replaced and ready pods. With Unknown the old pods still answer.',
  },
  InsufficientAccelerators: {
    seen: ['Available=False', 'Ready=False', 'event'],
    check:
      '`kubectl describe nodes` shows under Allocated resources what holds the resource that the message names.',
  },
  Unschedulable: {
    seen: ['Available=False', 'Ready=False', 'event'],
    check: `The message is the scheduler's; ${DESCRIBE_POD} has the same under Events.`,
  },
  ImagePullFailed: {
    seen: ['Available=False', 'Ready=False', 'event'],
    check: `${DESCRIBE_POD} shows image and answer of the registry. Pull Secrets (\`global.imagePullSecrets\`) must lie in the namespace of the service.`,
  },
  ContainerCreateFailed: {
    seen: ['Available=False', 'Ready=False', 'event'],
    check: `${DESCRIBE_POD} has the kubelet's words under Events.`,
  },
  CrashLooping: {
    seen: ['Available=False', 'Ready=False', 'event'],
    check: `${OLD_LOG} ends with the cause; exit code 2 is a wrong configuration. ${LAST_FAILURE}`,
  },
  OutOfMemory: {
    seen: ['Available=False', 'Ready=False', 'event'],
    check: `${LAST_FAILURE} Compare the limit with \`status.backbone.sizeBytes\`: weights, activations of a whole batch and 256 MiB of samples have to fit.`,
  },
  BackboneFetchFailed: {
    seen: ['Available=False', 'Ready=False', 'event'],
    check:
      'The message has the answer of the host, or why it may not be asked: private addresses need their host in `server.defaults.allowedHosts`, and a network policy must let the pod out.',
  },
  BackboneDigestMismatch: {
    seen: ['Available=False', 'Ready=False', 'event'],
    check:
      'The message has both digests. A file: `sha256sum FILE`. Was it replaced under the same URI?',
  },
  BackboneLoadFailed: {
    seen: ['Available=False', 'Ready=False', 'event'],
    check:
      'The message names operator or field. `layercache inspect MODEL` loads the same file on your machine and says the same.',
  },
  EngineUnavailable: {
    seen: ['Available=False', 'Ready=False', 'event'],
    check:
      'The message says what is missing. `spec.server.engine` names an engine that the image, or the driver of the node, does not have.',
  },
  Forbidden: {
    seen: ['Available=False', 'Available=Unknown', 'Ready=False', 'event'],
    check:
      'The message names verb and resource, or the quota. `kubectl -n NAMESPACE describe resourcequota`; `kubectl auth can-i --list -n NAMESPACE --as system:serviceaccount:OPERATOR_NAMESPACE:OPERATOR`.',
  },
  ProgressDeadlineExceeded: {
    seen: ['Available=False', 'Available=Unknown', 'Ready=False', 'Stalled=True', 'event'],
    check: `${LAST_FAILURE} ${DESCRIBE_POD} shows what its probes say. A backbone that loads longer than \`spec.server.startupDeadline\` allows needs more.`,
  },
  ScaledToZero: {
    seen: ['Available=False', 'Ready=False'],
    check: 'Somebody asked for it: `spec.replicas`, or `kubectl scale` where an autoscaler is.',
  },
  Suspended: {
    seen: ['Available=False', 'Ready=False'],
    check: `\`spec.suspend\` is true; ${CONDITIONS} has since when.`,
  },
} as const satisfies Record<keyof typeof REASON_GROUPS.service, ReasonPage>;
