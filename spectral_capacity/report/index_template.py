"""The words and the order of the page of a run."""

INDEX = """\
{{ parts.head("How many facts an optimizer stores: what this run found", provenance) }}
<body>
<a class="skip" href="#claims">Skip to the claims</a>
<header>
<h1>How many facts does an optimizer store? What this run found</h1>
<p>A linear memory is a matrix {{ "W" | math }} of size {{ "d × d" | math }} that answers the embedding of an
item with the embedding of another. Item {{ "k" | math }} of {{ "N" | math }} is asked for with a frequency
proportional to {{ "k^{−α}" | math(".") }} It counts as stored when its score is above those of all
{{ "N − 1" | math }} other answers. The theory
(<a href="https://arxiv.org/abs/2603.26554">arXiv:2603.26554</a>) says how the number of stored items grows with
{{ "d" | math(":") }} about {{ "d^{1/(2α)}" | math }} after one step of gradient descent,
{{ "d^{1 + 1/(2α)}" | math }} after one step of Muon.
{% if measured %}
This page holds what was measured against {{ total }} such claims.</p>
{% else %}
None of its claims is about the experiments of this run; what was fitted to them stands
<a href="#what-was-run">below</a>.</p>
{% endif %}
{% if measured %}
<section id="in-short">
<h2>In short</h2>
<ul class="counts">
{% for name, count in counts.items() %}
<li><b>{{ count }}</b> {{ parts.verdict(name) }}</li>
{% endfor %}
</ul>
{% if undecided %}
<p><strong>This run is too small to decide any claim.</strong> It shows that everything works; for verdicts
run the default configuration.</p>
{% endif %}
{% if headline %}
{% set first = (headline.values() | first).values() | first %}
<p>Items stored after one step grow like {{ "d^C" | math(".") }} In each cell: {{ "C" | math }}
{{- " in the limit" if first.statistic == "asymptote" else ", fitted" }}
{{ first.over }}, with its interval; the theory's; and the items stored at
{{ "d" | math }} = {{ "%g" | format(first.largest_d) }}.</p>
<div class="scroll" tabindex="0" role="region" aria-label="Exponents of one step">
<table class="numbers headline">
<thead><tr><th scope="col">α</th>
{% for optimizer in headline %}
<th scope="col">{{ optimizer }}</th>
{% endfor %}
</tr></thead>
<tbody>
{% for alpha in headline.values() | map("list") | sum(start=[]) | unique | sort %}
<tr><th scope="row">{{ "%g" | format(alpha) }}</th>
{% for lines in headline.values() %}
<td>{% if alpha in lines %}{% set line = lines[alpha] %}{% set count = stored(line) %}
{{ line.measured | number }} {{ parts.interval(line, 2) | trim }}<br>
<small>theory {{ line.predicted | number }}
{%- if count == count %}; {{ words.about(count) }} stored{% endif %}</small>
{% else %}–{% endif %}</td>
{% endfor %}
</tr>
{% endfor %}
</tbody>
</table>
</div>
{% endif %}
{% if short.contradicted %}
<p>{{ parts.verdict("contradicted") }}, as far as a run of this size sees:</p>
<ul>
{% for result in short.contradicted %}
<li>{% set line = result.deciding %}
<a href="#{{ result.slug }}">{{ result.id }}</a>: {{ result.statement | inline }}
Measured {{ line.measured | number }} {{ parts.interval(line, 2) | trim }}
{{- " (" ~ result.where ~ ")" if result.where }}, {{ line.allowed }}.
{{ result.note | inline }}</li>
{% endfor %}
</ul>
{% endif %}
{% for name in ("supported", "inconclusive") if short[name] %}
<p>{{ parts.verdict(name) }}:
{% for result in short[name] %}
<a href="#{{ result.slug }}" title="{{ result.statement | plain }}">{{ result.id }}</a>
{{- "." if loop.last else "," }}
{% endfor %}
</p>
{% endfor %}
</section>
{% endif %}
<section id="run">
<h2>The run</h2>
<dl>
<dt>Configuration</dt>
<dd>{{ parts.plural(run.experiments | length, "experiment") }}{% if run.n_items %},
{{ "N" | math }} of {{ words.extent(run.n_items) }}{% endif %}{% if run.d %},
{{ "d" | math }} of {{ words.extent(run.d) }}{% endif %}: <a href="#what-was-run">each of them</a></dd>
<dt>Size</dt>
<dd>{{ parts.plural(run.cells, "cell") }}: one optimizer in one setting, for a few seeds</dd>
<dt>Time</dt>
<dd>{{ words.lasted(run.seconds) }} of training, summed over cells that were trained side by side</dd>
<dt>Finished</dt>
<dd>{{ run.date }}</dd>
<dt>Commit</dt>
<dd>{{ parts.commits(run.commits) }}</dd>
<dt>Device</dt>
<dd>{{ run.devices | join(", ") or "–" }}</dd>
<dt>Provenance</dt>
<dd><a href="#provenance">settings, seeds, code and versions</a></dd>
</dl>
<p class="soft">Links to grids, fits and files of figures lead to the run's folder of results. They work while
this page lies in it; all else is in the page itself.</p>
</section>
</header>
<nav aria-label="Contents">
<h2>Contents</h2>
<ul class="contents">
<li><a href="#terms">Terms and optimizers</a></li>
<li><a href="#claims">Claims and verdicts</a></li>
{% for theme, figures in themes.items() %}
<li><a href="#theme-{{ loop.index }}">{{ theme }}</a>
<ul>
{% for figure in figures %}
<li><a href="#{{ figure.name }}">{{ figure.title | title }}</a></li>
{% endfor %}
</ul></li>
{% endfor %}
<li><a href="#what-was-run">Experiments</a></li>
<li><a href="#provenance">Provenance</a></li>
</ul>
</nav>
<main>
<section id="terms">
<h2>Terms and optimizers</h2>
<details>
<summary>Terms</summary>
<dl class="terms">
{% for term, meaning in terms.items() %}
<dt>{{ term | inline }}</dt>
<dd>{{ meaning | inline }}</dd>
{% endfor %}
</dl>
</details>
{% if optimizers %}
<details>
<summary>{{ parts.plural(optimizers | length, "optimizer") }} and what they do</summary>
<p>A step is {{ "W ← W − η" | math }} times what is said here of the gradient; {{ "η" | math }} is the learning
rate. Where it grows, {{ "e_t" | math }} is the exponent that Theorem 10 has for step {{ "t" | math }}. Figures
have these names, or labels that the configuration gives them.</p>
<dl class="terms">
{% for name, meaning in optimizers.items() %}
<dt>{{ name }}</dt>
<dd>{{ meaning | inline }}</dd>
{% endfor %}
</dl>
</details>
{% endif %}
</section>
<section id="claims">
<h2>Claims and verdicts</h2>
{% if measured %}
<p>Each row shows the measurement that decides the claim (its interval over resampled seeds in brackets), what
was predicted, and how far off it may be. In the picture: band = allowed, vertical line = predicted, dot and bar
= measured. The axis ends at three times what is allowed; an arrowhead at its end: beyond it.</p>
{{ parts.rule() }}
<table class="claims">
<thead><tr><th scope="col">Claim</th><th scope="col">Statement</th><th scope="col">Verdict</th>
<th scope="col">Measured against predicted</th><th scope="col">Figure</th></tr></thead>
{% for result in measured %}
{% set line = result.deciding %}
<tbody id="{{ result.slug }}">
<tr>
<th scope="row">{{ result.id }}</th>
<td>{{ result.statement | inline }}</td>
<td>{{ parts.verdict(result.verdict) }}</td>
<td class="value">
{% if line.verdict == "too small" %}
{{ line.shortage }}
{% else %}
<div class="measured">
{{ parts.strip(line) }}
<div>{{ line.measured | number }} {{ parts.interval(line, 2) | trim }}
<div>{{ line.allowed }}</div>
</div></div>
{% endif %}
</td>
{% set figure = figure_of.get(result.id) %}
<td class="figure">{% if figure %}<a href="#{{ figure.name }}">{{ figure.title | title }}</a>
{%- else %}<small>no figure</small>{% endif %}</td>
</tr>
<tr><td></td><td colspan="4">
{% if line.verdict != "too small" %}
<p class="reason soft">Measured: {{ line.what | inline }}{{ ", " ~ line.over if line.over }}
{{- "; " ~ result.where ~ ", " ~ result.choice if result.choice }}.
{% if "optimizer" in result.varied and line.optimizer in updates %}
{{ line.optimizer }}: {{ (updates[line.optimizer] ~ ".") | inline }}
{% endif %}
</p>
{% endif %}
{% if result.verdict in ("contradicted", "inconclusive") %}
<p class="reason">{{ parts.reason(result) }}</p>
{% endif %}
<details>
<summary>{{ parts.plural(result.lines | length, "measurement") }} and the source</summary>
<p class="soft">{{ parts.origin(result) }}</p>
{{ parts.lines_of(result) }}
{% if "optimizer" in result.varied %}
<ul class="soft">
{% for name in result.optimizers if name in optimizers %}
<li>{{ name }}: {{ optimizers[name] | inline }}</li>
{% endfor %}
</ul>
{% endif %}
</details>
</td></tr>
</tbody>
{% endfor %}
</table>
{% endif %}
{% if unmeasured %}
<details>
<summary>{{ parts.plural(unmeasured | length, "claim") }} that this run did not measure</summary>
<ul>
{% for result in unmeasured %}
<li id="{{ result.slug }}"><b>{{ result.id }}</b> {{ parts.verdict(result.verdict) }}.
{{ result.statement | inline }} <span class="soft">{{ parts.missing(result) }}</span></li>
{% endfor %}
</ul>
</details>
{% endif %}
<p class="links">The same as <a href="{{ link(table.with_suffix(".html")) }}">a page of its own</a> and
<a href="{{ link(table) }}">a table</a>.</p>
</section>
{% for theme, figures in themes.items() %}
<section>
<h2 id="theme-{{ loop.index }}">{{ theme }}</h2>
{% for figure in figures %}
<section id="{{ figure.name }}">
<h3>{{ figure.title | title }}</h3>
<figure>
{% set picture = figure.picture %}
{% if picture %}
<div class="picture{{ " wide" if picture[1] > 700 }}"><img src="{{ picture[0] }}" alt="{{ figure.alt }}"
width="{{ picture[1] }}" height="{{ picture[2] }}"></div>
<p class="hint">Scroll sideways for the rest of the figure →</p>
{% else %}
<p class="soft">No picture: a page shows SVG or PNG, and neither is among the formats of this run.</p>
{% endif %}
<figcaption>{{ figure.caption | rst }}</figcaption>
</figure>
<p class="links">
{% for suffix, path in figure.files.items() %}
<a href="{{ link(path) }}">{{ suffix | upper }}</a> ·
{% endfor %}
{% for name in figure.experiments %}
experiment {{ name }}: <a href="{{ link(grids[name]) }}">grid</a>
{%- for suffix, path in fits[name].items() %}
, <a href="{{ link(path) }}">fits as {{ {"nc": "NetCDF", "csv": "CSV"}[suffix] }}</a>
{%- endfor %}
{{- " · " if not loop.last }}
{% endfor %}
</p>
{% set claims = claims_of[figure.name] %}
{% if claims %}
<p class="links">Claims it shows:
{% for result in claims %}
<span class="claim"><a href="#{{ result.slug }}">{{ result.id }}</a>
{{ parts.verdict(result.verdict) }}{{ "," if not loop.last }}</span>
{% endfor %}
</p>
{% endif %}
</section>
{% endfor %}
</section>
{% endfor %}
{% include "experiments" %}
{% include "origins" %}
</main>
</body>
</html>
"""
