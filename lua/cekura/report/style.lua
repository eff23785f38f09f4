--- The style of all pages. Its checksum is in cekura.report.policy.

return [[
:root{color-scheme:light dark;--back:#fff;--fore:#1c1e21;--soft:#565b63;--line:#c9cdd3;--panel:#f5f6f8;
--link:#0b57a4;--main:#1f6fb8;--test:#2f7d3b;--third:#8a5a00;--fourth:#6d4aa8;--tool:#a3186b;--bad:#b3261e;
--good:#1d6b2c;--mark:#fff3c4}
@media screen and (prefers-color-scheme:dark){:root{--back:#16181c;--fore:#e6e7ea;--soft:#a9afb8;--line:#454a53;
--panel:#1f2228;
--link:#8ec1ff;--main:#6cb0f2;--test:#7cc98a;--third:#e0b35a;--fourth:#bb9df0;--tool:#f08bc4;--bad:#ff9a92;
--good:#83d494;--mark:#4a4110}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--fore);font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
header,main,footer{max-width:96rem;margin:0 auto;padding:0 1rem}
h1{font-size:1.6rem;line-height:1.25;margin:1.2rem 0 .2rem}
h2{font-size:1.25rem;margin:0 0 .6rem}
h3{font-size:1rem;margin:1.1rem 0 .3rem}
p,dl,ol,ul{margin:.4rem 0}
a{color:var(--link)}
a:focus-visible,audio:focus-visible,summary:focus-visible
{outline:3px solid var(--link);outline-offset:2px;border-radius:2px}
.skip{position:absolute;left:-100rem}
.skip:focus{left:1rem;top:.5rem;background:var(--back);padding:.4rem .8rem;z-index:2}
.verdict{font-weight:600;font-size:1.1rem;margin:0 0 1rem}
.bad{color:var(--bad)}.good{color:var(--good)}.soft,footer{color:var(--soft)}
section{border-top:1px solid var(--line);padding:1rem 0}
dl{display:grid;grid-template-columns:1fr;gap:0 1rem}
dt{color:var(--soft)}dd{margin:0 0 .4rem;white-space:pre-line}
ul.plain,ol.plain{list-style:none;padding:0}
.metric{border-left:4px solid var(--line);padding:.1rem 0 .1rem .7rem;margin:.6rem 0}
.metric.bad{border-color:var(--bad)}.metric.good{border-color:var(--good)}.metric p{color:var(--fore)}
.metric p,.turn p{white-space:pre-line;margin:.15rem 0}
.name{font-weight:600}
.recording{display:flex;flex-wrap:wrap;align-items:center;gap:.3rem 1rem;padding:.6rem 0}
.recording h2,.recording p{margin:0}.recording p:empty{display:none}
audio{flex:1 1 16rem;min-width:0;height:2.6rem}
figure{margin:.6rem 0 0}
.lanes{display:grid;grid-template-columns:minmax(0,7rem) 1fr;gap:.5rem}
.labels{list-style:none;margin:6px 0 0;padding:0;font-size:.8rem;line-height:1.1}
.labels li{height:28px;margin-bottom:6px;overflow:hidden}
svg{display:block}.patterns{position:absolute}.lanes+.lanes{margin-top:.5rem}
.timeline{overflow:visible}
.lane-1{fill:var(--main)}.lane-2{fill:var(--test)}.lane-3{fill:var(--third)}.lane-4{fill:var(--fourth)}
.overlap{fill:none;stroke:var(--fore);stroke-width:2}
.tool{fill:var(--tool);stroke:var(--tool);stroke-width:2}.tool.result{fill:var(--back)}
.hatch{stroke:var(--soft);stroke-width:1;fill:none}
.silence{opacity:.55}
.tick{stroke:var(--line)}.clock{fill:var(--soft);font-size:11px}
.dropoff{stroke:var(--bad);stroke-width:3;stroke-dasharray:5 3}
.playhead{stroke:var(--fore);stroke-width:2}
.legend{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;list-style:none;padding:0;font-size:.85rem}
.legend svg{display:inline-block;vertical-align:-.2em;margin-right:.35rem}
.turn,.note{padding:.45rem .7rem;margin:.4rem 0;border-left:4px solid var(--line)}
.turn{background:var(--panel)}
.turn.lane-1{border-color:var(--main)}.turn.lane-2{border-color:var(--test)}
.turn.lane-3{border-color:var(--third)}.turn.lane-4{border-color:var(--fourth)}.turn.tools{border-color:var(--tool)}
.note{border-left-style:dashed;color:var(--soft)}.note.dropoff-note{border-color:var(--bad);color:var(--fore)}
.turn[aria-current],.turn:target{background:var(--mark)}
.head{font-size:.9rem;color:var(--soft)}.turn:target .head,.turn[aria-current] .head{color:var(--fore)}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
summary{cursor:pointer;color:var(--link);width:fit-content}
table{border-collapse:collapse;width:100%;max-width:60rem;font-size:.9rem;line-height:1.35}
caption{text-align:left;color:var(--soft);padding:.3rem 0}
th,td{text-align:left;vertical-align:top;padding:.2rem .6rem .2rem 0;border-bottom:1px solid var(--line)}
thead th{color:var(--soft);font-weight:400}tbody th{font-weight:400}
.n{text-align:right;font-variant-numeric:tabular-nums;overflow-wrap:normal}
.n:last-child{padding-right:0}
.part{display:block;font-size:.85rem}
.bars th:last-child,.bars td:last-child{width:35%;min-width:4rem;vertical-align:middle}
@media (max-width:30rem){.bars th:last-child,.bars td:last-child{display:none}}
.tiles{grid-template-columns:repeat(auto-fit,minmax(8.5rem,1fr))}.tiles strong{font-size:1.6rem;line-height:1.2}
.tiles dd .soft{display:block}
.rates{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,19rem),1fr));gap:1rem 2.5rem}
.rates h3{margin:0}.rates p{margin:0 0 .3rem;font-size:.9rem}details{font-size:.9rem}
.up{fill:var(--main);opacity:.5}.down{fill:var(--bad)}.other{fill:var(--line)}.up.few{opacity:.2}.down.few{opacity:.45}
.mark{stroke:var(--fore);stroke-width:1;stroke-dasharray:4 3}
.together{display:grid;gap:.5rem 2rem}.together ol{padding-left:1.6rem}.matrix{max-width:44rem}
.count{font-weight:600}.jumps a{display:inline-block;min-width:1.6rem;padding:.1rem .3rem}
.sides{position:sticky;top:0;background:var(--back);z-index:1;color:var(--soft)}
.row{display:grid;grid-template-columns:minmax(0,1fr)}
.row>div{white-space:pre-wrap;font:.85rem/1.5 ui-monospace,monospace;padding:.1rem .6rem;min-height:1.5em}
.change{border-left:4px solid var(--line);margin:.5rem 0;padding:.2rem 0}.change:target{border-color:var(--link)}
.change .old{background:var(--panel)}.sides,.twin{display:none}
.label{display:block;font:.8rem/1.3 system-ui,sans-serif}
del{color:var(--bad)}ins{color:var(--good);font-weight:600}
details.same{border:solid var(--line);border-width:1px 0;margin:.5rem 0}
.cell{fill:var(--bad);stroke:var(--line)}.cell.own{fill:var(--panel)}.number{fill:var(--fore);font-size:11px}
pre{white-space:pre-wrap;margin:.15rem 0;font:.85rem/1.4 ui-monospace,monospace}
@media (min-width:40rem){dl{grid-template-columns:12rem 1fr}dd{margin:0}}
@media (min-width:70rem){main.call{display:grid;grid-template-columns:minmax(0,2fr) minmax(0,3fr);gap:0 2.5rem}}
@media (min-height:45rem){html{scroll-padding-top:9rem}
.recording{position:sticky;top:0;background:var(--back);z-index:1}}
@media (min-width:70rem) and (min-height:45rem){html{scroll-padding-top:5rem}}
@media (max-width:30rem){.overlap{stroke-width:1}.lanes{grid-template-columns:minmax(0,4.4rem) 1fr}}
@media (min-width:60rem){.together{grid-template-columns:minmax(12rem,20rem) minmax(0,1fr)}}
@media (min-width:48rem){.row,.sides{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:0 1rem}
.twin{display:block}
.label{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}}
@media (min-width:70rem){main.period{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:0 2.5rem}
.period>.overview,.period>.metrics,.period>.failures,.period>.notes{grid-column:1/-1}}
@media print{.skip,audio,.playhead{display:none}body{font-size:11pt}
section,.turn,.metric{break-inside:avoid-page}.transcript,.metrics{break-inside:auto}
main.call,main.period{display:block}
.recording,.sides{position:static}.period details:not([open]){display:none}.rates li,.change{break-inside:avoid}
*{print-color-adjust:exact}}
]]
