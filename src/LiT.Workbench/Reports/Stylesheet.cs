namespace LiT.Reports;

/// <summary>The look of every report. Colours are named once for light and once for dark; print takes the light ones.</summary>
internal static class Stylesheet
{
    // No '<' or '&' in here: the page is well-formed XML, where they would be markup.
    public static readonly Html Css = Html.Of(
        $$"""

        :root { color-scheme: light dark; --page:#fff; --ink:#16202b; --muted:#5b6773; --line:#dde3e9; --card:#f5f7f9; --rail:#e4e9ee;
          --accent:#0a66c2; --good:#0f7a3d; --bad:#b3261e; --s0:#0a66c2; --s1:#c4570c; --s2:#0f7a3d; --s3:#7a3ec8; --over:#fff; }
        @media screen and (prefers-color-scheme: dark) { :root { --page:#0e1319; --ink:#e8edf2; --muted:#9ba8b5; --line:#29323c;
          --card:#161d25; --rail:#25303b; --accent:#6db3ff; --good:#5fd08a; --bad:#ff8a80; --s0:#6db3ff; --s1:#ffa35c; --s2:#5fd08a; --s3:#c8a2ff; --over:#0e1319; } }
        * { box-sizing:border-box; }
        body { margin:0; background:var(--page); color:var(--ink); font:16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif; }
        main { max-width:1060px; margin:0 auto; padding:2.2rem 1.1rem 3rem; }
        h1 { font-size:clamp(1.55rem, 1.1rem + 2vw, 2.2rem); line-height:1.2; margin:0 0 .5rem; letter-spacing:-.015em; text-wrap:balance; }
        h2 { font-size:1.3rem; line-height:1.3; margin:0 0 .35rem; letter-spacing:-.01em; }
        section { margin-top:2.6rem; padding-top:1.5rem; border-top:1px solid var(--line); }
        p { margin:.4rem 0 .9rem; max-width:72ch; }
        a { color:var(--accent); text-underline-offset:.15em; }
        .lead { font-size:1.12rem; color:var(--ink); }
        .words, .muted, .note, .none, footer { color:var(--muted); }
        .note, .none { font-size:.88rem; margin:.45rem 0 0; }
        .muted { font-weight:400; font-size:.85em; }
        .unseen { position:absolute; width:1px; height:1px; overflow:hidden; clip-path:inset(50%); white-space:nowrap; }
        footer { margin-top:2.6rem; padding-top:1rem; border-top:1px solid var(--line); font-size:.88rem; }
        .facts { display:flex; flex-wrap:wrap; gap:.2rem 1.5rem; margin:.6rem 0; font-size:.92rem; }
        .facts div { display:flex; gap:.4rem; } .facts dt { color:var(--muted); } .facts dd { margin:0; overflow-wrap:anywhere; }
        nav ul { display:flex; flex-wrap:wrap; gap:.3rem 1.1rem; list-style:none; margin:.9rem 0 0; padding:0; font-size:.92rem; }
        .key { display:grid; grid-template-columns:repeat(auto-fit, minmax(min(100%, 160px), 1fr)); gap:.8rem; margin:1rem 0 1.2rem; }
        .key div { background:var(--card); border:1px solid var(--line); border-radius:10px; padding:.8rem .95rem; display:flex; flex-direction:column; }
        .key dt { color:var(--muted); font-size:.9rem; line-height:1.35; order:2; } .key dd { margin:0; order:1; display:contents; }
        .key b { font-size:1.9rem; line-height:1.2; letter-spacing:-.02em; font-variant-numeric:tabular-nums; order:1; } .key .muted { order:3; margin-top:.25rem; }
        .beside { display:grid; grid-template-columns:repeat(auto-fit, minmax(min(100%, 400px), 1fr)); gap:1.2rem 2rem; align-items:start; }
        figure { margin:0 0 1.1rem; break-inside:avoid; min-width:0; }
        figcaption, caption { font-weight:600; font-size:.95rem; text-align:left; margin-bottom:.35rem; }
        .chart > svg { display:block; width:100%; height:auto; overflow:visible; }
        svg text { fill:var(--muted); font-size:12.5px; font-family:inherit; }
        .grid line { stroke:var(--line); } .level line { stroke:var(--muted); stroke-dasharray:2 4; stroke-width:1.4; }
        .series path { fill:none; stroke:currentColor; stroke-width:2; stroke-linejoin:round; stroke-linecap:round; vector-effect:non-scaling-stroke; }
        .series circle, .series rect, .series path.mark { fill:var(--page); stroke:currentColor; stroke-width:1.8; stroke-dasharray:none; }
        .series path.band { fill:currentColor; fill-opacity:.16; stroke:none; }
        .s0 { color:var(--s0); } .s1 { color:var(--s1); } .s2 { color:var(--s2); } .s3 { color:var(--s3); }
        .s1 path { stroke-dasharray:7 4; } .s2 path { stroke-dasharray:2 4; } .s3 path { stroke-dasharray:9 4 2 4; }
        .legend { display:flex; flex-wrap:wrap; gap:.15rem 1.1rem; list-style:none; margin:0 0 .4rem; padding:0; font-size:.87rem; color:var(--muted); }
        .legend li { display:flex; align-items:center; gap:.4rem; } .legend b { color:var(--ink); font-variant-numeric:tabular-nums; }
        details { margin-top:.3rem; font-size:.88rem; } summary { cursor:pointer; color:var(--muted); width:max-content; }
        .scroll { overflow-x:auto; } .scroll:focus-visible, pre:focus-visible { outline:2px solid var(--accent); outline-offset:2px; }
        table { border-collapse:collapse; width:100%; font-size:.92rem; }
        th, td { text-align:left; vertical-align:top; padding:.42rem .7rem .42rem 0; border-bottom:1px solid var(--line); overflow-wrap:break-word; }
        thead th { color:var(--muted); font-weight:600; font-size:.85rem; vertical-align:bottom; } tbody th { font-weight:500; }
        th.number, td.number { text-align:right; font-variant-numeric:tabular-nums; white-space:nowrap; } th:last-child, td:last-child { padding-right:0; }
        .bars td, .bars th { border:0; padding:.3rem .7rem .3rem 0; vertical-align:middle; line-height:1.3; } .bars tbody th { max-width:13rem; }
        .bars td.bar { width:100%; min-width:90px; } .bars svg { display:block; width:100%; height:14px; } .bars .number { font-weight:600; text-align:left; }
        .rail { fill:var(--rail); } .fill { fill:var(--s0); } .interval { stroke:var(--ink); stroke-width:2; vector-effect:non-scaling-stroke; } .halo { stroke:var(--page); stroke-width:5; vector-effect:non-scaling-stroke; }
        line.mark { stroke:var(--s1); stroke-width:3; vector-effect:non-scaling-stroke; }
        .confusion svg { max-width:520px; } .confusion figcaption { font-weight:400; font-size:.88rem; color:var(--muted); } .confusion svg text { font-size:inherit; fill:var(--ink); }
        .cell.right rect { fill:var(--s0); } .cell.wrong rect { fill:var(--s1); } .confusion svg .cell text.over { fill:var(--over); font-weight:600; }
        .pictures { display:grid; grid-template-columns:repeat(auto-fill, minmax(150px, 1fr)); gap:.9rem; list-style:none; margin:.6rem 0 0; padding:0; }
        .picture { background:var(--card); border:1px solid var(--line); border-radius:10px; padding:.6rem; margin:0; height:100%; }
        .picture.wrong { border-style:dashed; border-color:var(--bad); }
        .picture img { display:block; width:100%; aspect-ratio:1; height:auto; object-fit:contain; border-radius:6px; background:var(--page); } img.small { image-rendering:pixelated; }
        .picture figcaption { display:flex; flex-wrap:wrap; justify-content:space-between; gap:0 .5rem; margin:.45rem 0 .2rem; line-height:1.3; font-size:.9rem; overflow-wrap:anywhere; }
        .sign { font-size:.82rem; white-space:nowrap; } .sign.right { color:var(--good); } .sign.wrong { color:var(--bad); }
        .picture ol { list-style:none; margin:0; padding:0; font-size:.82rem; } .picture ol li { margin-top:.25rem; } .picture ol svg { display:block; width:100%; height:4px; }
        .picture ol span { display:flex; justify-content:space-between; gap:.5rem; line-height:1.35; } .picture ol bdi { overflow-wrap:anywhere; } .picture ol b { font-weight:500; font-variant-numeric:tabular-nums; color:var(--muted); }
        .pairs { display:grid; grid-template-columns:repeat(auto-fill, minmax(min(100%, 300px), 1fr)); gap:.9rem; list-style:none; margin:.6rem 0 0; padding:0; }
        .pair { background:var(--card); border:1px solid var(--line); border-radius:10px; padding:.6rem; margin:0; height:100%; } .pair > div { display:grid; grid-template-columns:1fr 1fr; gap:.5rem; }
        .pair img { display:block; width:100%; height:auto; aspect-ratio:1; object-fit:contain; border-radius:6px; background:var(--page); } .pair figcaption { font-weight:400; font-size:.85rem; margin:.45rem 0 0; overflow-wrap:anywhere; }
        pre { background:var(--card); border:1px solid var(--line); border-radius:8px; padding:.65rem .85rem; margin:0; overflow-x:auto; font-size:.88rem; line-height:1.5; }
        code { font-family:ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; user-select:all; }
        .command figcaption { font-weight:500; }
        @media screen and (max-width:560px) { main { padding-top:1.4rem; } .chart:not(.confusion) > svg text { font-size:16px; }
          .wide, .wide tbody, .wide tr, .wide th, .wide td, .wide caption { display:block; } .wide thead { display:none; } .wide tr { padding:.55rem 0; border-bottom:1px solid var(--line); }
          .wide th, .wide td { border:0; padding:.1rem 0; } .wide th[scope=row] { font-weight:600; text-align:left; } .wide td:empty { display:none; }
          .wide td.number { display:flex; justify-content:space-between; gap:1rem; } .wide td.number::before { content:attr(data-head); color:var(--muted); } .wide td:not(.number) { color:var(--muted); } }
        @media print { body { font-size:10.5pt; } main { max-width:none; padding:0; } nav, summary { display:none; } section { break-inside:auto; } h2, h2 + p, thead, caption { break-after:avoid; } .beside { grid-template-columns:1fr 1fr; }
          tr, .pictures li, .key div { break-inside:avoid; } .scroll { overflow:visible; } pre { white-space:pre-wrap; } svg, .key div, .picture { print-color-adjust:exact; -webkit-print-color-adjust:exact; } }

        """
    );
}
