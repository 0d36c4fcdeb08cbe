/** Why a pod template cannot be used: where, and what to do. */
export interface TemplateProblem {
  /** As the API server writes paths: `.spec.template.spec.containers[name="server"].ports`. */
  readonly path: string;
  readonly message: string;
}
