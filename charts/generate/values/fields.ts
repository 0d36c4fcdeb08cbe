import { z } from 'zod';

/** Kinds of values of the chart. Every value has a default and a description: both are printed. */

const QUANTITY = /^[0-9]{1,12}(\.[0-9]{1,3})?(m|k|Ki|M|Mi|G|Gi|T|Ti)?$/;
const DURATION = /^([0-9]{1,5}(h|m|s|ms)){1,4}$/;
const OPTIONAL_NAME = /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)?$/;
const LABEL_KEY =
  /^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;
const LABEL_VALUE = /^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$/;

/** One line. */
export const text = (description: string, standard = '') =>
  z
    .string()
    .max(1024)
    .regex(/^[^\n\r]*$/)
    .default(standard)
    .meta({ description });

export const matching = (description: string, pattern: RegExp, standard = '') =>
  z.string().regex(pattern).default(standard).meta({ description });

/** A DNS label, or nothing. */
export const name = (description: string) => matching(description, OPTIONAL_NAME);

export const duration = (description: string, standard: string) =>
  matching(description, DURATION, standard);

export const toggle = (description: string, standard: boolean) =>
  z.boolean().default(standard).meta({ description });

export const whole = (
  description: string,
  { min, max, standard }: { readonly min: number; readonly max: number; readonly standard: number },
) => z.int().min(min).max(max).default(standard).meta({ description });

export const choice = <const T extends readonly [string, ...string[]]>(
  description: string,
  choices: T,
  standard: T[number],
) =>
  z
    .enum(choices)
    // The first type parameter of an enum's default is its output, which the choices are.
    .default(standard as never)
    .meta({ description });

/** A map of switches: `{name: true}`. Lists cannot be changed one by one with --set; false takes an entry out. */
export const switches = (description: string, keys = /^[^\s]{1,253}$/) =>
  z.record(z.string().regex(keys), z.boolean()).default({}).meta({ description });

export const labels = (description: string, standard: Readonly<Record<string, string>> = {}) =>
  z
    .record(z.string().regex(LABEL_KEY), z.string().regex(LABEL_VALUE))
    .default(standard)
    .meta({ description });

export const annotations = (description: string) =>
  z.record(z.string().regex(LABEL_KEY), z.string().max(4096)).default({}).meta({ description });

/** Handed to Kubernetes as it is; the API server checks it. */
export const passedOn = (description: string, standard: Readonly<Record<string, unknown>> = {}) =>
  z.record(z.string(), z.unknown()).default(standard).meta({ description });

/** A map whose values become a list in the object; their keys are for `--set` alone. */
export const named = (description: string) =>
  z.record(z.string(), z.record(z.string(), z.unknown())).default({}).meta({ description });

export const resources = (
  description: string,
  standard: Readonly<Record<'requests' | 'limits', Readonly<Record<string, string>>>>,
) => {
  const quantities = (of: string, given: Readonly<Record<string, string>>) =>
    z
      .record(z.string().min(1), z.union([z.string().regex(QUANTITY), z.number().min(0)]))
      .default(given)
      .meta({ description: of });
  return block(description, {
    requests: quantities('What is reserved.', standard.requests),
    limits: quantities('What is never exceeded.', standard.limits),
  });
};

const imageFields = (repository: string) => ({
  repository: matching(
    'Registry, if any, and name.',
    /^[a-z0-9]([a-z0-9._:/-]{0,252}[a-z0-9])?$/,
    repository,
  ),
  tag: matching('Tag; empty: the version of the chart.', /^[A-Za-z0-9_.-]{0,128}$/),
  digest: matching('Digest; beats the tag.', /^(sha256:[0-9a-f]{64})?$/),
});

export const image = (description: string, repository: string) =>
  block(description, imageFields(repository));

/** An image with a pull policy of its own. */
export const pulledImage = (description: string, repository: string) =>
  block(description, {
    ...imageFields(repository),
    pullPolicy: choice('When it is pulled.', ['Always', 'IfNotPresent', 'Never'], 'IfNotPresent'),
  });

/** A closed block: a key that it does not know is an error. */
export function block<T extends z.ZodRawShape>(description: string, shape: T) {
  return (
    z
      .strictObject(shape)
      // Every key of a block has a default.
      .prefault({} as never)
      .meta({ description })
  );
}
