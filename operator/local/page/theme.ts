import { useEffect, useState } from 'preact/hooks';

export type Theme = 'auto' | 'light' | 'dark';

const KEY = 'layercache-theme';
const THEMES: readonly Theme[] = ['auto', 'light', 'dark'];
const darkQuery = matchMedia('(prefers-color-scheme: dark)');

/** The theme that was chosen, the scheme that is shown, and how to go to the next one. */
export function useTheme(): { theme: Theme; isDark: boolean; next: () => void } {
  const [theme, setTheme] = useState<Theme>(readTheme);
  const [systemIsDark, setSystemIsDark] = useState(darkQuery.matches);
  useEffect(() => {
    const follow = (): void => {
      setSystemIsDark(darkQuery.matches);
    };
    darkQuery.addEventListener('change', follow);
    return () => {
      darkQuery.removeEventListener('change', follow);
    };
  }, []);
  const isDark = theme === 'auto' ? systemIsDark : theme === 'dark';
  // Before anything is painted in it: charts read their colours from the style sheet.
  document.documentElement.dataset.scheme = isDark ? 'dark' : 'light';
  return {
    theme,
    isDark,
    next: () => {
      const chosen = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? 'auto';
      localStorage.setItem(KEY, chosen);
      setTheme(chosen);
    },
  };
}

function readTheme(): Theme {
  const stored = localStorage.getItem(KEY);
  return THEMES.find((theme) => theme === stored) ?? 'auto';
}

/** A colour of the style sheet as it is now, for canvases. */
export function colourOf(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

const EXIT_COLOURS = 8;

/** Name of the colour of an exit: its place decides, so that it is the same in every panel. The backbone is grey. */
export function exitColour(index: number, exitCount: number): string {
  return index >= exitCount - 1 ? 'backbone' : `exit-${(index % EXIT_COLOURS) + 1}`;
}
