/** Style sheets are imported for esbuild, which writes them to page.css. */
declare module '*.css';
