import type { ComponentChildren, JSX } from 'preact';
import { FORMATS, type FormatName } from './state/format.ts';

/** A figure of the state: `at` is its path there, so that a test can compare the two. */
export function Num({
  value,
  at,
  as,
}: {
  readonly value: number | null;
  readonly at: string;
  readonly as: FormatName;
}): JSX.Element {
  return (
    <span class="num" data-at={at} data-as={as}>
      {FORMATS[as](value)}
    </span>
  );
}

/** A box with a heading; `note` says in one line what is seen. */
export function Panel({
  id,
  title,
  note,
  wide = false,
  children,
}: {
  readonly id: string;
  readonly title: string;
  readonly note?: ComponentChildren;
  readonly wide?: boolean;
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    <section class={wide ? 'panel wide' : 'panel'} id={id} aria-labelledby={`${id}-title`}>
      <header>
        <h2 id={`${id}-title`}>{title}</h2>
        {note === undefined ? null : <p class="note">{note}</p>}
      </header>
      {children}
    </section>
  );
}

/** The colour of a series, never alone: text stands beside it. */
export function Swatch({
  colour,
  dashed = false,
}: {
  readonly colour: string;
  readonly dashed?: boolean;
}): JSX.Element {
  return <i class={`swatch ${dashed ? 'dashed ' : ''}c-${colour}`} aria-hidden="true" />;
}

export function Empty({ children }: { readonly children: ComponentChildren }): JSX.Element {
  return <p class="empty">{children}</p>;
}
