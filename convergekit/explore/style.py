"""The look of the explorers: scoped by classes of their own, in the colours of the notebook.

A part that is as narrow as `NARROW` or narrower folds its controls away, so that the chart stays
in sight; a button opens them.
"""

from __future__ import annotations

#: Up to this width controls are folded away.
NARROW = "46rem"

STYLE = f"""<style>
.ck-explorer{{font-family:system-ui,sans-serif;line-height:1.45;overflow-wrap:anywhere}}
.ck-explorer h4{{font-size:.95rem;font-weight:600;margin:.6rem 0 .3rem}}
.ck-explorer .ck-scroll{{overflow:auto;max-height:26rem;max-width:100%}}
.ck-explorer table{{border-collapse:collapse;font-size:.85rem;margin:.2rem 0}}
.ck-explorer th,.ck-explorer td{{text-align:left;padding:.2rem .6rem;white-space:nowrap;
border:0;border-bottom:1px solid rgba(128,128,128,.28);background:none;
font-variant-numeric:tabular-nums}}
.ck-explorer th{{font-weight:600}}
.ck-explorer caption,.ck-explorer .ck-hint{{text-align:left;font-size:.85rem;opacity:.8}}
.ck-explorer .ck-number{{text-align:right}}
.ck-explorer pre.ck-code{{margin:.2rem 0;padding:.6rem .8rem;overflow:auto;font-size:.83rem;
border:1px solid rgba(128,128,128,.35);border-radius:.35rem;background:rgba(128,128,128,.1);
line-height:1.45;white-space:pre-wrap;word-break:normal;user-select:all;-webkit-user-select:all;
color:inherit}}
.ck-part .widget-html-content{{min-width:0}}
.jupyter-button.ck-name{{text-align:left;flex-shrink:0}}
.jupyter-button.ck-icon{{font-size:0;overflow:hidden;display:inline-flex;align-items:center;
justify-content:center}}
.jupyter-button.ck-icon>i{{font-size:13px;margin:0}}
.ck-explorer .ck-busy{{opacity:.8}}
.ck-explorer .ck-busy::before{{content:"";display:inline-block;width:.7em;height:.7em;
margin-right:.5em;border:2px solid currentColor;border-right-color:transparent;border-radius:50%;
animation:ck-turn .9s linear infinite}}
@keyframes ck-turn{{to{{transform:rotate(360deg)}}}}
@media (prefers-reduced-motion:reduce){{.ck-explorer .ck-busy::before{{animation:none}}}}
.ck-explorer .ck-error{{border-left:4px solid #d55e00;background:rgba(213,94,0,.12);
padding:.45rem .7rem;white-space:pre-wrap}}
.ck-explorer .ck-warning{{border-left:4px solid #e69f00;background:rgba(230,159,0,.12);
padding:.45rem .7rem}}
.ck-explorer details pre{{white-space:pre;overflow:auto;font-size:.8rem;color:inherit}}
.ck-explorer summary{{cursor:pointer}}
.ck-whole{{container:ck-whole/inline-size}}
.ck-whole .ck-status{{min-height:1.7rem}}
.ck-whole .ck-status:empty{{display:block}}
.ck-field.jupyter-widgets{{flex-direction:column;align-items:stretch;height:auto}}
.ck-field.jupyter-widgets>.widget-label{{width:auto;max-width:none;text-align:left;height:auto;
line-height:1.4;font-size:.8rem;opacity:.85;overflow:visible;white-space:normal}}
.ck-field.jupyter-widgets>:not(.widget-label){{flex:none}}
.ck-field.widget-dropdown>select{{height:28px}}
.ck-whole .lm-TabBar-tab{{flex:0 1 auto!important;min-width:0;padding:0 .7em!important}}
.ck-bar{{display:flex;flex-flow:row wrap;gap:0 .8rem;align-items:flex-end}}
.ck-bar>.ck-field{{flex:1 1 6.6rem;min-width:6.4rem;max-width:14rem}}
.ck-picks .widget-toggle-button,.ck-picks .widget-toggle-buttons button{{width:auto;
padding:0 .7em}}
.ck-picks .widget-toggle-buttons{{flex-wrap:wrap;height:auto}}
.ck-whole button:focus-visible,.ck-whole input:focus-visible,.ck-whole select:focus-visible,
.ck-whole summary:focus-visible,.ck-whole [role=tab]:focus-visible,
.ck-whole input[type=date]:focus{{outline:2px solid #0072b2!important;
outline-offset:1px}}
.ck-whole .mod-active{{font-weight:600;box-shadow:inset 0 -2px 0 #0072b2}}
.ck-whole .ck-fold{{display:none}}
@container ck-whole (max-width: {NARROW}){{
.ck-whole .ck-fold{{display:block;flex:1 1 100%!important}}
.ck-bar>.ck-fold{{flex:none!important}}
.ck-whole .lm-TabBar-tab{{padding:0 .3em!important}}
.ck-whole .ck-folds:not(.ck-open){{display:none!important}}
.ck-whole .ck-folds.ck-side{{max-width:none!important;flex-basis:100%!important}}
}}
</style>"""
