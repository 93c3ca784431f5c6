"""The experiments of a run on its page: their sizes, and what was fitted to each."""

EXPERIMENTS = """\
<section id="what-was-run">
<h2>Experiments</h2>
<div class="scroll" tabindex="0" role="region" aria-label="Experiments">
<table class="numbers">
<thead><tr><th scope="col">experiment</th><th scope="col">N</th>
{% for axis in run.axes %}
<th scope="col">{{ words.AXES.get(axis, axis) }}</th>
{% endfor %}
<th scope="col">cells</th><th scope="col">time</th></tr></thead>
<tbody>
{% for experiment in run.experiments %}
<tr><th scope="row"><a href="{{ link(experiment.grid) }}">{{ experiment.name }}</a></th>
<td>{{ words.thousands(experiment.n_items) if experiment.n_items else "–" }}</td>
{% for axis in run.axes %}
{% set written = words.values(axis, experiment.axes[axis]) if axis in experiment.axes else "–" %}
{% set written = "≤ " ~ written if axis == "step" and experiment.may_stop else written %}
<td{{ ' class=list' if written | length > 14 }}>{{ written }}</td>
{% endfor %}
<td>{{ experiment.cells }}</td><td>{{ words.lasted(experiment.seconds) }}</td></tr>
{% endfor %}
</tbody>
</table>
</div>
<p class="soft">Time is summed over cells. Long lists show first, last and (how many). “≤”: a run ends when it
gains next to nothing any more. <a href="#provenance">Provenance</a> has the whole configuration.</p>
{% for name, lines in exponents.items() if lines %}
<details{{ "" if measured else " open" }}>
<summary>Exponents of {{ name }}</summary>
<p class="soft">Of the items stored after {{ lines[0].step }} step{{ "s" if lines[0].step > 1 }}
{{- " on the population" if lines[0].batch_size == infinity else
" on batches of " ~ words.thousands(lines[0].batch_size | int) }}, fitted over all
{{ "d" | math(",") }} with their intervals over resampled seeds.
<a href="{{ link(fits[name].csv) }}">More</a></p>
<div class="scroll" tabindex="0" role="region" aria-label="Exponents of {{ name }}">
<table class="numbers">
<thead><tr><th scope="col">optimizer</th><th scope="col">α</th><th scope="col">κ</th>
<th scope="col">exponent</th><th scope="col">theory</th>
<th scope="col">stored at the largest d</th></tr></thead>
<tbody>
{% for line in lines %}
<tr><td>{{ line.optimizer }}</td><td>{{ "%g" | format(line.alpha) }}</td>
<td>{{ "%g" | format(line.kappa) }}</td>
<td>{{ line.exponent | number(2) }} {{ parts.interval(line, 2) | trim }}</td>
<td>{{ line.theory | number(2) }}</td>
<td>{{ words.about(line.stored) if line.stored == line.stored else "–" }}</td></tr>
{% endfor %}
</tbody>
</table>
</div>
</details>
{% endfor %}
</section>
"""
