// The one stylesheet of the public pages: inside each page, so that a saved page keeps its looks,
// and allowed by its hash alone. Everything can be read without it. Colours of risk levels are those
// of Decision 18/2021, each with text beside it; contrast is at least 4.5 to 1, light and dark.
import { createHash } from "node:crypto";

export const STYLE = `
:root{color-scheme:light dark;--paper:#fff;--ink:#16202a;--quiet:#4a5765;--line:#c8d0d8;--soft:#f2f5f8;--link:#0a4f8f;--head:#12304d;--on:#fff}
@media(prefers-color-scheme:dark){:root{--paper:#12181f;--ink:#e8edf2;--quiet:#aab6c2;--line:#3a4652;--soft:#1c252e;--link:#8cc4ff;--head:#0b2033;--on:#eef4fa}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;font:1.0625rem/1.6 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",Arial,sans-serif;color:#16202a;color:var(--ink);background:#fff;background:var(--paper);overflow-wrap:break-word}
a{color:var(--link);text-underline-offset:.15em}
a:focus-visible,button:focus-visible,input:focus-visible,textarea:focus-visible,summary:focus-visible{outline:3px solid #d97a00;outline-offset:2px}
.skip{position:absolute;left:-99rem}.skip:focus{left:1rem;top:.5rem;background:var(--paper);padding:.5rem;z-index:1}
.wide{max-width:46rem;margin:0 auto;padding-left:1rem;padding-right:1rem}
header.site{background:#12304d;background:var(--head);color:#fff;color:var(--on)}
header.site a{color:inherit}
header.site .wide{display:flex;flex-wrap:wrap;gap:0 1.25rem;align-items:baseline;padding-top:.45rem;padding-bottom:.45rem}
.name{font-weight:700;text-decoration:none;margin-right:auto}
nav ul{list-style:none;margin:0;padding:0;display:flex;flex-wrap:wrap;gap:0 1rem;font-size:.9375rem}
nav li a,.name{display:inline-block;padding:.3rem 0}
main{padding-top:1rem;padding-bottom:2.5rem}
h1{font-size:1.55rem;line-height:1.3;margin:.9rem 0 .6rem}
h2{font-size:1.15rem;line-height:1.35;margin:2rem 0 .5rem;padding-top:.9rem;border-top:1px solid var(--line)}
h3{font-size:1.0625rem;margin:1.2rem 0 .3rem}
p{margin:.5rem 0}
.quiet{color:var(--quiet)}.none{font-size:1.15rem;font-weight:600;padding:1rem;background:var(--soft);border-left:.5rem solid var(--line)}
.point{padding-left:1.25rem;text-indent:-1.25rem}.paper{display:none}
.note{border:1px dashed currentColor;padding:.4rem .8rem;margin:0 0 1rem;font-size:.9375rem;font-weight:600}
.state{margin:0;padding:.75rem 1rem;border:2px solid;border-left-width:.75rem}
.state>b,.genuine>b{display:block;font-size:1.3rem;line-height:1.3;letter-spacing:.01em}
.state p{margin:.2rem 0 0}
.in-force{border-color:#0b6b3a;background:#e9f6ee;color:#06341c}
.over{border-color:#5a6672;background:#edf0f3;color:#1d2731}
.cancelled{border-color:#9b1c1c;background:#fdecec;color:#5e0f0f}
.unsure{border-color:#9a5b00;background:#fff4e0;color:#4d2d00}
.state a{color:inherit}
.genuine{border:2px solid;border-bottom:0;padding:.75rem 1rem}.genuine p{margin:.2rem 0 0}
.drill{margin:0 0 1rem;padding:.9rem 1rem;border:4px solid #16202a;background:#ffe14d;color:#16202a;text-align:center}
.drill b{display:block;font-size:1.9rem;letter-spacing:.12em;line-height:1.2}
.stripes{height:14px;border:solid #16202a;border-width:4px 4px 0;background:repeating-linear-gradient(135deg,#16202a 0 14px,#ffe14d 14px 28px)}
.issuer{margin:1.3rem 0 0;font-weight:700}
.issuer+p{margin:.1rem 0 0}
.level{display:inline-block;margin:.4rem 0;padding:.3rem .7rem;font-weight:700;line-height:1.4;border:1px solid}.l1,.l2,.l3,.l4,.l5{border-color:rgba(0,0,0,.5)}
.l1{background:#bfe3f7;color:#0c2736}.l2{background:#fff3ad;color:#332b00}.l3{background:#ffa53d;color:#2d1800}.l4{background:#c4161c;color:#fff}.l5{background:#6d1b9c;color:#fff}
.lead{font-size:1.15rem;font-weight:600}
.help{border:2px solid #b3261e;padding:.7rem 1rem;margin:1.5rem 0}
.help b{font-size:1.25rem}
dl{margin:0}dt{font-weight:700;margin-top:.7rem}dd{margin:0}
dd ul{margin:.2rem 0;padding-left:1.2rem}
.list{list-style:none;margin:0;padding:0}
.list>li{padding:.9rem 0;border-bottom:1px solid var(--line)}
.list>li:last-child{border:0}
.list h3{margin:.3rem 0}.past .level{background:none;color:var(--quiet)}
.list p{margin:.15rem 0}
.tag{font-weight:700}
.areas{columns:2;padding-left:1.2rem}
.code{font:700 1.35rem/1.4 ui-monospace,Menlo,Consolas,monospace;letter-spacing:.06em;white-space:nowrap}
.verify{display:flex;flex-wrap:wrap;gap:.5rem 1.5rem;align-items:flex-start}
.verify svg{width:9rem;height:9rem;flex:none;background:#fff;border:1px solid var(--line)}
.verify div{flex:1 1 15rem}
label{display:block;font-weight:700;margin:.9rem 0 .3rem}
input,textarea{font:inherit;width:100%;padding:.55rem .7rem;border:1px solid #6b7783;border-radius:2px;background:var(--paper);color:var(--ink)}
button{font:inherit;font-weight:700;margin:.8rem 0;padding:.6rem 1.4rem;border:0;border-radius:2px;background:#0a4f8f;color:#fff;cursor:pointer}
mark,del,ins{padding:0 .12em;border-radius:2px}
del{background:#fbd5d5;color:#5e0f0f}ins{background:#cfeedb;color:#06341c;text-decoration:underline;text-decoration-thickness:2px}
.diff{border:1px solid var(--line);padding:.6rem 1rem;margin:.5rem 0;background:var(--soft)}
footer{border-top:1px solid var(--line);color:var(--quiet);font-size:.9375rem;padding-top:.5rem;padding-bottom:2rem}
@media(max-width:26rem){body{font-size:1rem}h1{font-size:1.3rem}.areas{columns:1}.state>b,.genuine>b{font-size:1.15rem}.drill b{font-size:1.45rem}.lead{font-size:1.05rem}}
@media(min-width:40rem){dl{display:grid;grid-template-columns:11rem 1fr;gap:.4rem 1rem}dt{margin:0}}
@media print{@page{size:A4;margin:14mm 17mm}
:root{color-scheme:light;--paper:#fff;--ink:#000;--quiet:#333;--line:#999;--soft:#fff;--link:#000}
body{font-size:10.5pt;line-height:1.38}.wide{max-width:none;padding:0}main{padding-top:.3rem;padding-bottom:.3rem}
header.site{background:none;color:#000;border-bottom:1pt solid #000}header.site .wide{padding:0}nav,.skip,.screen{display:none}.paper{display:block}.past .level{color:#333}
.state,.level,.drill,.stripes,.verify svg{print-color-adjust:exact;-webkit-print-color-adjust:exact}
h1{font-size:16pt;margin:.4rem 0}h2{font-size:11.5pt;margin:.8rem 0 .2rem;padding-top:.4rem;break-after:avoid}h3{font-size:10.5pt;margin:.5rem 0 .1rem;break-after:avoid}footer{font-size:9pt}.help b{font-size:12pt}
p{margin:.25rem 0;orphans:3;widows:3}.lead{font-size:12pt}.state,.help,.note{padding:.35rem .8rem;margin:.6rem 0}.verify svg{width:7.5rem;height:7.5rem}
dl{gap:.1rem 1rem}.state,.help,.verify,.list>li{break-inside:avoid}a{text-decoration:none}}
`;

/** Only this style may apply; forms go home; nothing is loaded, run or framed. */
export const PAGE_POLICY =
  `default-src 'none'; style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'; ` +
  "form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
