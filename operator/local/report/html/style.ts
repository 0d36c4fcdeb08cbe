/** The style sheet of report.html: in the file, since it has to open anywhere and years later. */
export const REPORT_STYLE = `
:root { color-scheme: light dark; --ground:#f4f5f2; --card:#fff; --ink:#16211e; --quiet:#54625d; --hair:#dbe0da;
  --accent:#0f766e; --good:#0b6b4f; --good-ground:#e2f3eb; --warning:#8a4b08; --warning-ground:#fdf0db; --bad:#b42318;
  --bad-ground:#fde8e6; --backbone:#c3cbc7; --e1:#7fa8ee; --e2:#74c4b8; --e3:#eab676; --e4:#b99aea; --e5:#e497bd;
  --e6:#7cc3d6; --e7:#aecb7e; --e8:#cfa497; --inside:#16211e; }
@media (prefers-color-scheme: dark) { :root { --ground:#0e1413; --card:#161e1c; --ink:#e8eeeb; --quiet:#9db0a9; --hair:#2a3734;
  --accent:#2dd4bf; --good:#6ee7b7; --good-ground:#10332a; --warning:#fbbf6b; --warning-ground:#3a2a10; --bad:#ff8f85;
  --bad-ground:#431d1b; --backbone:#46534f; --e1:#2f5fae; --e2:#1f7f74; --e3:#7d4f1a; --e4:#6a4bab; --e5:#983f6c; --e6:#247489;
  --e7:#5c7a2a; --e8:#84574b; --inside:#fff; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 14px/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main { max-width: 980px; margin: 0 auto; padding: 32px 20px 48px; display: grid; gap: 16px; grid-template-columns: minmax(0, 1fr); }
h1 { margin: 0; font-size: 26px; letter-spacing: -.015em; line-height: 1.2; } h2 { margin: 0 0 8px; font-size: 16px; } p { margin: 0; }
.sub, .quiet { color: var(--quiet); } .sub { overflow-wrap: anywhere; }
section, .tiles { padding: 16px 18px; background: var(--card); border: 1px solid var(--hair); border-radius: 10px; min-width: 0; }
.verdict { padding: 8px 14px; border-radius: 8px; } .granted { background: var(--good-ground); color: var(--good); }
.missing { background: var(--warning-ground); color: var(--warning); } .failed { background: var(--bad-ground); color: var(--bad); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(28%, 240px), 1fr)); gap: 14px; margin: 0; }
.tiles dt { color: var(--quiet); font-size: 12px; } .tiles dd { margin: 0; font-size: 24px; font-weight: 600; letter-spacing: -.02em; line-height: 1.25; }
.tiles small { display: block; font-size: 12px; font-weight: 400; letter-spacing: 0; color: var(--quiet); }
.num, td { font-variant-numeric: tabular-nums; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; } .scroll { overflow-x: auto; } table { width: 100%; border-collapse: collapse; font-size: 13px; margin-top: 8px; }
th, td { padding: 5px 12px 5px 0; border-top: 1px solid var(--hair); text-align: left; vertical-align: top; font-weight: 400; }
thead th { border-top: 0; color: var(--quiet); font-size: 12px; } td.n, th.n { text-align: right; white-space: nowrap; } td.wrap { overflow-wrap: anywhere; min-width: 16em; }
.plot { overflow-x: auto; } .plot svg { display: block; width: 100%; min-width: 560px; max-width: 760px; height: auto; font-size: 13px; } svg text { fill: var(--ink); } .label { text-anchor: end; fill: var(--quiet) !important; }
.value { font-weight: 600; } .inside { text-anchor: middle; fill: var(--inside) !important; }
.limit { stroke: var(--bad); stroke-width: 1.5; stroke-dasharray: 5 4; } .limit-text { fill: var(--bad) !important; font-size: 12px; }
.rule { stroke: var(--hair); } .tick { text-anchor: middle; fill: var(--quiet) !important; font-size: 12px; }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; } .is-share { stroke: var(--accent); } .is-upper { stroke: var(--ink); }
.is-budget { stroke: var(--bad); stroke-dasharray: 5 4; } .legend svg.wide { width: 16px; }
.whisker { stroke: var(--ink); stroke-width: 3; } .dot { fill: var(--ink); } .alarm { fill: var(--bad); }
.plain { fill: var(--backbone); } .cached { fill: var(--e2); } .backbone { fill: var(--backbone); }
.e1 { fill: var(--e1); } .e2 { fill: var(--e2); } .e3 { fill: var(--e3); } .e4 { fill: var(--e4); } .e5 { fill: var(--e5); } .e6 { fill: var(--e6); } .e7 { fill: var(--e7); } .e8 { fill: var(--e8); }
.band { fill: var(--hair); stroke: var(--card); } .band-training { fill: var(--warning-ground); } .band-shadowing, .band-recertifying { fill: var(--e1); }
.band-ramping { fill: var(--e2); } .band-serving { fill: var(--good-ground); } .band-text { font-size: 12px; }
.legend { display: flex; flex-wrap: wrap; gap: 2px 16px; list-style: none; margin: 6px 0 0; padding: 0; font-size: 12px; color: var(--quiet); }
.legend svg { display: inline-block; width: 10px; height: 10px; margin-right: 5px; }
code { font: 12px/1.5 ui-monospace, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
dl.facts { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: 3px 16px; margin: 0; } dl.facts dt { color: var(--quiet); } dl.facts dd { margin: 0; overflow-wrap: anywhere; }
@media (max-width: 600px) { .tiles { grid-template-columns: 1fr 1fr; } }
@media print { body { background: #fff; } section, .tiles { break-inside: avoid; } }
`;
