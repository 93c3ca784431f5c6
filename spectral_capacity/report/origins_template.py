"""Where the results of a run come from, at the end of its page."""

ORIGINS = """\
<section id="provenance">
<h2>Provenance</h2>
<p class="soft">Every grid, fit, figure and page holds what it was made from;
{{ parts.reader("FILE") }} prints it. Code is a digest of all code behind a result, in which comments
do not count.</p>
<details>
<summary>The run</summary>
<dl>
<dt>Root seed</dt><dd>{{ origins | map(attribute="root") | unique | join(", ") }}</dd>
<dt>Commit</dt><dd>{{ parts.commits(run.commits) }}</dd>
<dt>Device</dt><dd>{{ run.devices | join(", ") or "–" }}</dd>
<dt>Versions</dt>
<dd>{% for name, versions in run.versions.items() %}{{ name }} {{ versions | join(" and ") }}
{{- ", " if not loop.last }}{% endfor %}</dd>
<dt>Precision</dt><dd>{{ run.precision | join("; ") or "–" }}</dd>
{% if provenance %}
<dt>This page</dt><dd>{{ parts.made_with(provenance) }}</dd>
{% endif %}
</dl>
</details>
{% for origin in origins %}
<details>
<summary>{{ origin.name }}</summary>
<dl>
<dt>Seeds</dt><dd>{{ origin.seeds }}, of root seed {{ origin.root }}</dd>
<dt>Code</dt>
<dd>{% for what, digests in origin.code.items() %}{{ what }} <code>{{ digests | join(" and ") }}</code>
{{- ", " if not loop.last }}{% else %}–{% endfor %}</dd>
<dt>Commit</dt><dd>{{ parts.commits(origin.commits) }}</dd>
<dt>Device</dt><dd>{{ origin.devices | join(", ") or "–" }}</dd>
<dt>Versions</dt><dd>{{ origin.versions | join(", ") or "–" }}</dd>
</dl>
<pre class="scroll" tabindex="0" role="region" aria-label="Settings of {{ origin.name }}">
{{ origin.settings }}</pre>
</details>
{% endfor %}
<details>
<summary>Figures and claims</summary>
<p class="soft">Made with {{ made_with | join(", ") or "–" }}.</p>
<div class="scroll" tabindex="0" role="region" aria-label="Provenance of figures and claims">
<table class="numbers">
<thead><tr><th scope="col">result</th><th scope="col">code</th><th scope="col">commit</th>
<th scope="col">options</th></tr></thead>
<tbody>
{% for name, made in drawn.items() %}
{% set options %}
{% for option, value in made.get("configuration", {}).get("options", {}).items() %}
{{ option }}: {{ value | json }}{{ ", " if not loop.last }}{% endfor %}
{% endset %}
<tr><th scope="row">{{ name }}</th><td><code>{{ made.get("code", "–") }}</code></td>
<td>{{ parts.commits([made.git_revision] if made else []) }}</td>
<td{{ ' class=list' if options | length > 30 }}>{{ options | trim }}</td></tr>
{% endfor %}
</tbody>
</table>
</div>
</details>
</section>
"""
