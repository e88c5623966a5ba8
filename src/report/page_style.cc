#include "report/page_style.h"

namespace zp {

extern const char* const kPageStyle;
const char* const kPageStyle = R"(
:root {
  color-scheme: light dark;
  --page: #ffffff; --panel: #f6f7f9; --rule: #dfe3e8; --text: #1b2229; --soft: #5c6773;
  --before: #0b66a8; --now: #c2500a; --bar: #9fb3c6; --mark: #ffe3c4; --exact: #eef1f4;
  --s0: #fff1e0; --s1: #fee0bd; --s2: #fdc68a; --s3: #fba457; --s4: #ee7b2c; --s5: #c9550f; --s6: #8a3606;
  --on-low: #40210a; --on-mid: #331a06; --on-high: #ffffff;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #12161b; --panel: #1b2128; --rule: #323b46; --text: #e6eaee; --soft: #9aa6b2;
    --before: #5eb3f0; --now: #ff9a52; --bar: #5a6d80; --mark: #6b3d14; --exact: #232b33;
    --s0: #2e2014; --s1: #4b2c12; --s2: #6d3b12; --s3: #955013; --s4: #c46a1d; --s5: #f0913f; --s6: #ffc58c;
    --on-low: #ffe9d2; --on-mid: #1c0e02; --on-high: #241203;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0 auto; max-width: 72rem; padding: 2.5rem 1.5rem 4rem; background: var(--page); color: var(--text);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Noto Sans Bengali", sans-serif;
}
h1, h2, h3 { line-height: 1.2; text-wrap: balance; }
h1 { font-size: 2.1rem; margin: 0 0 .4rem; overflow-wrap: anywhere; }
h2 { font-size: 1.45rem; margin: 3.5rem 0 .3rem; padding-top: 1.6rem; border-top: 3px solid var(--text); overflow-wrap: anywhere; }
h3 { font-size: 1.12rem; margin: 2.4rem 0 .3rem; }
p { margin: .3rem 0 1rem; max-width: 46rem; }
code { font: .92em ui-monospace, "SF Mono", Menlo, Consolas, "Noto Sans Mono", "Noto Sans Bengali", monospace; overflow-wrap: anywhere; white-space: pre-wrap; }
.lead, .remark, .intro { color: var(--soft); }
.intro { margin-bottom: 1.1rem; }
.remark { font-size: .86rem; }
.facts { display: flex; flex-wrap: wrap; gap: .2rem 1.6rem; margin: 0 0 1rem; padding: 0; color: var(--soft); }
.facts b { color: var(--text); font-weight: 600; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(18rem, 1fr)); gap: .8rem; margin: 1.2rem 0 0; }
.tile { background: var(--panel); border-radius: .6rem; padding: .9rem 1.1rem 1rem; }
.tile .name { color: var(--soft); font-size: .86rem; }
.tile .value { font-size: 1.65rem; font-weight: 650; line-height: 1.3; font-variant-numeric: tabular-nums; white-space: nowrap; }
.tile .value small { font-size: 1rem; font-weight: 500; color: var(--soft); }
.share { height: .4rem; margin: .45rem 0 .15rem; border-radius: .2rem; background: var(--rule); overflow: hidden; }
.share span { display: block; height: 100%; background: var(--now); }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
.wide { overflow-x: auto; }
.wide table { width: 100%; font-size: .92rem; }
.wide th, .wide td { padding: .34rem .9rem .34rem 0; text-align: left; border-bottom: 1px solid var(--rule); white-space: nowrap; vertical-align: baseline; }
.wide th { color: var(--soft); font-weight: 500; font-size: .86rem; }
.wide th:last-child, .wide td:last-child { padding-right: 0; }
.wide .n { text-align: right; } .wide code { white-space: nowrap; overflow-wrap: normal; }
.legend { display: flex; align-items: center; flex-wrap: wrap; gap: .2rem; font-size: .86rem; color: var(--soft); margin: 0 0 .8rem; }
.legend .swatch { width: 1.7rem; height: 1.05rem; border-radius: .2rem; text-align: center; line-height: 1rem; }
.legend .swatch + span:not(.swatch) { margin-left: .3rem; }
.legend .from { margin: 0 .3rem 0 1.2rem !important; }
.heat { width: 100%; table-layout: fixed; border-collapse: separate; border-spacing: 2px; margin: 0 0 1rem; }
.heat caption { text-align: left; font-size: .86rem; color: var(--soft); padding-bottom: .5rem; }
.heat th { font-weight: 500; font-size: .78rem; color: var(--soft); padding: 0; }
.heat thead th { vertical-align: bottom; padding-bottom: .2rem; line-height: 1.1; }
.heat thead th:first-child { width: 1.8rem; }
.heat.outside { width: auto; }
.heat.outside thead th, .heat.outside thead th:first-child { width: 6rem; }
.heat tbody th { text-align: right; padding-right: .35rem; }
.cell { height: 1.75rem; border-radius: .25rem; text-align: center; font-size: .78rem; padding: 0; color: var(--on-low); }
.exact { background: var(--exact); color: var(--soft); }
.s0 { background: var(--s0); } .s1 { background: var(--s1); } .s2 { background: var(--s2); } .s3 { background: var(--s3); }
.s4 { background: var(--s4); color: var(--on-mid); } .s5 { background: var(--s5); color: var(--on-high); } .s6 { background: var(--s6); color: var(--on-high); }
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--soft); font: 12px system-ui, "Noto Sans", sans-serif; font-variant-numeric: tabular-nums; }
.bar { fill: var(--bar); } .axis { stroke: var(--soft); stroke-width: 1; } .rule { stroke: var(--rule); stroke-width: 1; }
.tick { stroke: var(--now); }
.curve { fill: none; stroke: var(--now); stroke-width: 2.5; stroke-linejoin: round; stroke-linecap: round; }
.mean { stroke: var(--before); stroke-width: 1.5; stroke-dasharray: 5 4; }
.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(20rem, 100%), 1fr)); gap: 1.6rem 2rem; }
figure { margin: 0; }
figcaption { margin-bottom: .4rem; }
figcaption .remark { display: block; overflow-wrap: anywhere; }
figure p.remark { margin: .2rem 0 0; }
.beside { display: grid; grid-template-columns: minmax(0, 3fr) minmax(0, 2fr); gap: 1.5rem 3rem; align-items: start; }
.worst { list-style: none; margin: 0; padding: 0; }
.worst li { display: grid; grid-template-columns: 6.5rem minmax(0, 1fr); gap: .2rem 1rem; padding: 1rem 0; border-bottom: 1px solid var(--rule); }
.worst .kl { color: var(--soft); font-size: .86rem; } .worst .kl b { color: var(--text); font-size: 1.15rem; font-variant-numeric: tabular-nums; }
.context { margin: 0 0 .6rem; white-space: pre-wrap; overflow-wrap: anywhere; max-width: none; }
.context mark { background: var(--mark); color: inherit; box-shadow: 0 .14em 0 var(--now); }
.context .after { color: var(--soft); }
.guesses { font-size: .9rem; } .guesses th { font-weight: 500; text-align: left; padding-right: 1rem; }
.guesses td { padding-right: 1rem; } .guesses .n { text-align: right; padding-right: 0; }
.before th { color: var(--before); } .now th { color: var(--now); }
.came { font-size: .9rem; color: var(--soft); margin: .15rem 0 0; } .came .n { font-variant-numeric: tabular-nums; white-space: nowrap; }
details { margin-top: 1rem; } summary { cursor: pointer; color: var(--before); }
ul.notes { padding-left: 1.2rem; max-width: 46rem; }
.csv { margin: .15rem 0 0; font-size: .8rem; } a { color: var(--before); text-underline-offset: .15em; }
nav ul { list-style: none; margin: 0 0 1.4rem; padding: 0; } nav li { margin: .15rem 0; overflow-wrap: anywhere; }
nav li a { margin-right: .9rem; white-space: nowrap; font-size: .92rem; } nav li a b { white-space: normal; font-weight: 600; }
.line { margin: 0 0 1rem; padding: .6rem .8rem; background: var(--panel); border-radius: .4rem; max-width: none; overflow-x: auto; }
.wide td .share { width: 8rem; margin: 0; }
.point { fill: var(--now); }
header > .chart { max-width: 36rem; margin-top: 1rem; }
footer { margin-top: 4rem; color: var(--soft); font-size: .86rem; }
@media (max-width: 45rem) {
  body { padding: 1.5rem 1rem 3rem; }
  h1 { font-size: 1.65rem; }
  .tiles { grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: .6rem; }
  .tile { padding: .7rem .8rem .8rem; } .tile .value { font-size: 1.15rem; white-space: normal; } .tile .value small { font-size: .84rem; }
  .legend .swatch { width: 1.35rem; } .legend .from { margin-left: .6rem !important; }
  .chart svg text { font-size: 15px; }
  .beside { grid-template-columns: minmax(0, 1fr); }
  .worst li { grid-template-columns: minmax(0, 1fr); }
  .heat { border-spacing: 1px; } .heat thead th { height: 5.6rem; } .heat thead th span { white-space: nowrap; writing-mode: vertical-rl; transform: rotate(180deg); }
  .heat th { font-size: .72rem; } .heat thead th:first-child { width: 1.3rem; }
  .heat.outside thead th, .heat.outside thead th:first-child { width: 3.6rem; }
  .heat.outside thead th { height: auto; } .heat.outside thead th span { white-space: normal; writing-mode: horizontal-tb; transform: none; }
  .cell { font-size: .68rem; height: 1.5rem; }
}
)";

}  // namespace zp
