"""An executed notebook made whole: its own text filled in, and the checks of what it shows added.

One pure function does it, `fill`, which a run, plain nbconvert and ``verify`` all call: the kernel
does not know the notebook that it runs, and the exporters compute nothing. Checked are its outputs
(`reportkit.notebook.outputs`), and if each number of its own text has a source (C1, C2).
"""

from __future__ import annotations

import ast
import re
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from nbconvert.preprocessors import Preprocessor
from nbformat import from_dict
from traitlets import Bool

from reportkit.checks import Check, accept, coverage_checks
from reportkit.checks.rules import RuleText, Waived
from reportkit.export.blocks import MIME, Block, for_readers, from_notebook
from reportkit.facts.sealed import SealedFacts
from reportkit.notebook.display import checks_block, show
from reportkit.notebook.outputs import blocks_of, output_checks
from reportkit.params import Waiver
from reportkit.text.coverage import cover
from reportkit.text.narrative import cell_name, render_cell

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reportkit.notebook.compilation import Compilation
    from reportkit.text.markdown import Prose

_ADDRESS = re.compile(r"(?<= at )0x[0-9a-f]{6,}")


class Fill(Preprocessor):
    """Preprocessor of nbconvert that fills in a notebook as a run does."""

    enabled = Bool(True).tag(config=True)

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Return the notebook filled in."""
        return from_dict(fill(nb)), resources  # type: ignore[no-untyped-call]  # nbformat has no types


def fill(notebook: Mapping[str, Any], *, later: bool = False) -> dict[str, Any]:
    """Fill in the text of an executed notebook, and examine what it shows.

    Parameters
    ----------
    notebook : mapping
        Executed, of nbformat 4; filled in already or not.
    later : bool
        Facts that are not there are still to be made, and no fault.

    Returns
    -------
    dict
        A copy. Markdown cells have their figures (``metadata.reportkit`` keeps the source and what
        documents print of it); the head says whether it is a draft and the checks are all checks;
        ``metadata.reportkit.checks`` of the notebook holds them too.

    Raises
    ------
    InputError
        ``narrative``: own text names what is not there, or holds what no document can show.
    """
    made = deepcopy(dict(notebook))
    seals = from_notebook(made, "seal")
    if len(seals) != 1 or "form" not in seals[0]:
        return made  # an exporter says what is missing
    _Filling(made, seals[0], later=later).write()
    return made


def as_executed(notebook: Mapping[str, Any]) -> dict[str, Any]:
    """A notebook that was filled in, with the text of its cells as somebody wrote it."""
    made = deepcopy(dict(notebook))
    made["metadata"].pop("reportkit", None)
    for cell in made["cells"]:
        kept = cell["metadata"].pop("reportkit", None)
        if kept is not None and cell["cell_type"] == "markdown":
            cell["source"] = kept["source"]
    return made


def foresee(notebook: Mapping[str, Any], report: Compilation) -> None:
    """Before a notebook runs: which facts it will make, and whether its own text can be filled in.

    Raises
    ------
    InputError
        ``narrative``: own text names what is not there and is not made.
    """
    report.later = _own_facts(notebook)
    for cell in filter(for_readers, notebook["cells"]):
        if cell["cell_type"] == "markdown":
            source = "".join(cell["source"])
            name = cell_name(source)
            render_cell(source, figures=report, context=report.context, name=name)


def _own_facts(notebook: Mapping[str, Any]) -> frozenset[str] | None:
    """Ids that the code gives to ``report.fact``; None where one is known only when it runs."""
    names = set()
    for cell in notebook["cells"]:
        if cell["cell_type"] != "code":
            continue
        try:
            tree = ast.parse("".join(cell["source"]))
        except SyntaxError:
            return None  # a line of IPython's own: nothing is known of it here
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "fact":
                first = node.args[0] if node.args else None
                if not isinstance(first, ast.Constant):
                    return None
                names.add(str(first.value))
    return frozenset(names)


class _Filling:
    """Fills in one notebook, in place."""

    def __init__(self, notebook: dict[str, Any], seal: Block, *, later: bool) -> None:
        self.notebook, self.seal = notebook, seal
        self.facts = SealedFacts.read(seal["facts"], seal["compared"], later=later)
        self.units = {name: fact.unit for name, fact in self.facts.facts.items()}
        self.prose: dict[str, Prose] = {}
        # A notebook of an auditor about a report has no form: nothing prescribes what it shows.
        self.rules = {name: RuleText.model_validate(text) for name, text in seal["rules"].items()}
        self.form = seal["form"] or {"sections": [], "tables": []}

    def write(self) -> None:
        """Change the notebook in place."""
        for cell in self.notebook["cells"]:
            for output, block in blocks_of(cell):
                if block["kind"] == "chart":
                    _put(output, block)  # with its picture, which not every kernel makes
        for cell in self._cells():
            if cell["cell_type"] == "markdown":
                self._fill_markdown(cell)
            elif cell["cell_type"] == "code":
                self._fill_outputs(cell)
        checks = [*map(_check, self.seal["checks"]), *(self._checks() if self.seal["form"] else ())]
        wrong = self.seal["form"] and any(c.open and c.severity == "error" for c in checks)
        draft = self.seal["head"]["draft"] or bool(wrong)
        for cell in self._cells():
            for output, block in blocks_of(cell):
                if block["kind"] == "head":
                    _put(output, block | {"draft": draft})
                elif block["kind"] == "checks":
                    _put(output, checks_block(checks, self.seal["rules"]))
        self.notebook["metadata"]["reportkit"] = {
            "draft": draft,
            "checks": [c.as_json() for c in checks],
            "rules": {c.id: self.seal["rules"][c.id] for c in checks if not c.holds},
        }

    def _cells(self) -> Iterator[Any]:
        """Cells that are for readers."""
        return filter(for_readers, self.notebook["cells"])

    def _fill_markdown(self, cell: Any) -> None:
        kept = cell["metadata"].get("reportkit", {})
        source = kept.get("source", "".join(cell["source"]))
        body, cell["source"] = self._rendered(source)
        cell["metadata"]["reportkit"] = {"source": source, "body": body}

    def _fill_outputs(self, cell: Any) -> None:
        for output in cell["outputs"]:
            text = output.get("data", {}).get("text/plain")
            if text is not None and MIME not in output["data"]:
                # Where an object lay in memory is chance.
                output["data"]["text/plain"] = _ADDRESS.sub("0x…", "".join(text))
        for output, block in blocks_of(cell):
            if block["kind"] == "prose":
                body, _ = self._rendered(block["source"])
                _put(output, block | {"body": body})
            elif block["kind"] == "section":
                body = self.seal["sections"].get(block["number"], block["body"])
                _put(output, block | {"body": self._bound(body)})
            elif block["kind"] == "head":
                preamble = self.seal["sections"].get("", block["preamble"])
                _put(output, block | {"preamble": self._bound(preamble)})
            elif block["kind"] == "chart" or block.get("own"):
                texts = [[{"text": block["title"]}], [{"text": block.get("note", "")}]]
                lines = [{"type": "paragraph", "runs": runs} for runs in block.get("said", texts)]
                self.prose[f"笔记本里的图表（{len(self.prose) + 1}）"] = lines

    def _bound(self, body: Prose) -> Prose:
        """Prose in which a fact that is still to be made is bound to nothing."""
        if not self.facts.later:
            return body

        def bound(runs: list[Any]) -> list[Any]:
            known = {None, *self.facts.facts}
            return [
                run if run.get("fact") in known else {"text": run["text"], "unbound": True}
                for run in runs
            ]

        return [
            {**node, "items": list(map(bound, node["items"]))}
            if "items" in node
            else {**node, "runs": bound(node["runs"])}
            for node in body
        ]

    def _rendered(self, source: str) -> tuple[Prose, str]:
        """Prose of the notebook with its numbers judged, without headings that are shown anyway."""
        context, name = self.seal["context"], cell_name(source)
        body, text = render_cell(source, figures=self.facts, context=context, name=name)
        shown = {f"{number}、{title}" for number, title in self.form["sections"]}
        shown.add(self.seal["head"]["title"])
        body = [node for node in body if node["type"] != "heading" or _text(node) not in shown]
        self.prose[f"笔记本里的文字（{len(self.prose) + 1}）"] = body
        return self._bound(list(cover({"": body}, self.units).sections[""])), text

    def _checks(self) -> list[Check]:
        coverage, titles = cover(self.prose, self.units), {name: name for name in self.prose}
        numbers = coverage_checks(self.rules, coverage, self.facts.facts, titles=titles)
        made = self.seal["made"]
        checks = output_checks(self.rules, list(self._cells()), form=self.form, made=made)
        checks += [check for check in numbers if not check.holds]
        return accept(self.rules, checks, list(map(Waiver.model_validate, self.seal["waivers"])))


def _put(output: Any, shown: Block) -> None:
    """Show another block in an output."""
    output["data"] = show(shown)._repr_mimebundle_()


def _text(node: Mapping[str, Any]) -> str:
    return "".join(run["text"] for run in node["runs"]).strip()


def _check(document: Mapping[str, Any]) -> Check:
    """Return the check that `Check.as_json` gave."""
    waived = Waived(**document["waived"]) if document["waived"] else None
    return Check(**{**document, "facts": tuple(document["facts"]), "waived": waived})
