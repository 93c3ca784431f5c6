"""How the pages look: no font, script or picture from elsewhere, dark on white, and fit for paper."""

STYLE = """\
:root { color-scheme: light; --ink: #1f2328; --soft: #57606a; --line: #d8dee4; --link: #0550ae;
        --yes: #00509e; --no: #a63600; --open: #57606a; }
* { box-sizing: border-box; }
html { scroll-behavior: auto; }
body { font: 1rem/1.55 system-ui, "Segoe UI", "Liberation Sans", Arial, sans-serif; color: var(--ink);
       background: #fff; max-width: 68rem; margin: 0 auto; padding: 1.5rem 1rem 4rem;
       overflow-wrap: break-word; }
h1 { font-size: 1.75rem; line-height: 1.25; margin: .5rem 0 1rem; }
h2 { font-size: 1.35rem; margin: 3rem 0 .75rem; padding-top: .75rem; border-top: 2px solid var(--ink); }
h3 { font-size: 1.15rem; margin: 2.25rem 0 .5rem; }
h4 { font-size: 1rem; margin: 2.25rem 0 .5rem; }
p { margin: .5rem 0 .75rem; max-width: 46rem; }
a { color: var(--link); }
a:focus-visible, summary:focus-visible, [tabindex]:focus-visible {
  outline: 3px solid #b35900; outline-offset: 2px; border-radius: 2px; }
.skip { position: absolute; left: -100vw; background: #fff; padding: .5rem; }
.skip:focus { left: 1rem; }
small, .soft { color: var(--soft); font-size: .875rem; }
math { font-size: 1.08em; }
.formula { white-space: nowrap; }
.formula msup:last-child { margin-right: -.15em; }
msup > :nth-child(2), msub > :nth-child(2) { font-size: .8em; }
pre, code { font-size: .8125rem; }
summary { cursor: pointer; color: var(--link); }
.verdict { font-weight: 600; white-space: nowrap; }
.supported { color: var(--yes); } .contradicted { color: var(--no); }
.inconclusive, .too-small, .not-measured { color: var(--open); }
.scroll { overflow-x: auto; max-width: 100%; /* a shadow where there is more to the side */
  background: linear-gradient(90deg, #fff 30%, #fff0) 0 / 3rem 100% no-repeat local,
              linear-gradient(270deg, #fff 30%, #fff0) 100% / 3rem 100% no-repeat local,
              linear-gradient(90deg, #0004, #0000) 0 / .8rem 100% no-repeat scroll,
              linear-gradient(270deg, #0004, #0000) 100% / .8rem 100% no-repeat scroll; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th { font-weight: 600; text-align: left; }
th, td { padding: .3rem .75rem .3rem 0; vertical-align: top; border-bottom: 1px solid var(--line); }
thead th { border-bottom: 2px solid var(--ink); white-space: nowrap; }
.numbers { font-size: .875rem; margin: .5rem 0 1rem; }
.numbers td, .numbers th { white-space: nowrap; padding-right: .55rem; }
.numbers .wrap { white-space: normal; min-width: 6.5rem; }
.measured { display: flex; gap: 1rem; }
.strip { flex: none; margin-top: .25rem; }
.counts { display: flex; flex-wrap: wrap; gap: .5rem 2rem; padding: 0; margin: 1rem 0; list-style: none; }
.counts b { font-size: 1.75rem; line-height: 1.2; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1.25rem; margin: 1rem 0; }
dt { color: var(--soft); } dd { margin: 0; min-width: 0; }
.contents { columns: 3; column-gap: 2rem; font-size: .9375rem; padding: 0; list-style: none; }
.contents > li { break-inside: avoid; margin-bottom: .75rem; }
.contents ul { padding-left: 1.1rem; margin: .15rem 0; }
.claims { width: 100%; table-layout: fixed; } /* else what is unfolded widens it beyond the page */
.claims > tbody > tr > * { border: 0; padding-top: .75rem; }
.claims > tbody > tr:last-child > * { padding: 0 0 .6rem; border-bottom: 1px solid var(--line); }
.claims > thead > tr > :nth-child(1) { width: 7.5rem; }
.claims > thead > tr > :nth-child(3) { width: 9rem; }
.claims > thead > tr > :nth-child(4) { width: 21rem; }
.claims > thead > tr > :nth-child(5) { width: 6.5rem; }
.numbers .list { white-space: normal; min-width: 6.5rem; }
li { max-width: 46rem; }
.headline td, .headline th { padding-right: 1.5rem; }
.terms { max-width: 58rem; }
.reason { max-width: 46rem; margin: 0 0 .35rem; }
figure { margin: 0 0 1rem; }
figure img { max-width: 100%; height: auto; display: block; margin: .75rem 0; }
.picture { overflow-x: auto; }
.hint { display: none; font-size: .875rem; color: var(--soft); margin: 0 0 .35rem; }
figcaption { max-width: 46rem; }
.claim { white-space: nowrap; }
.links { font-size: .875rem; color: var(--soft); }
:target { scroll-margin-top: 1rem; }
@media (max-width: 44rem) {
  .contents { columns: 1; }
  dl { grid-template-columns: 1fr; } dd { margin-bottom: .5rem; }
  .claims > thead { position: absolute; width: 1px; height: 1px; overflow: hidden;
                     clip-path: inset(50%); }
  .claims, .claims > tbody, .claims > tbody > tr, .claims > tbody > tr > * { display: block; width: auto; }
  .claims > tbody > tr > * { padding: .1rem 0; }
  .claims > tbody > tr:first-child > th { padding-top: .75rem; }
  .claims .figure a::before { content: "Shown in: "; }
  .wide img { max-width: max(100%, 40rem); }
}
@media (max-width: 41rem) { .wide + .hint { display: block; } }
@media print {
  body { max-width: none; padding: 0; font-size: 10pt; }
  .skip, nav, .wide + .hint { display: none; }
  figure, .claims tbody { break-inside: avoid; }
  h2, h3, h4 { break-after: avoid; }
  a { color: inherit; }
}
"""
