"""Parts of report.html that readers see first, look up and take along."""

import base64
import csv
import io
import json
from functools import cache
from pathlib import Path
from runpy import run_path
from types import SimpleNamespace

import pyshacl
import pytest
import rdflib
from bs4 import BeautifulSoup

from reportkit.export.defined import definition_of, short
from reportkit.export.html import ReportHTML
from reportkit.export.tidy import harmless

sample = SimpleNamespace(
    **run_path(str(Path(__file__).parents[1] / "data" / "blocks" / "sample.py"))
)


@cache
def page():
    text, _ = ReportHTML().from_notebook_node(sample.notebook())
    return BeautifulSoup(text, "html.parser")


def taken(name):
    """Return the bytes that a reader takes along under this file name."""
    (link,) = page().find_all("a", download=name)
    return base64.b64decode(link["href"].partition(";base64,")[2])


def sealed():
    return {fact["id"]: fact for fact in sample.blocks()[-1]["facts"]["facts"]}


def test_headlines_stand_first_with_last_year():
    first = page().select(".headlines li")
    assert [card.select_one(".big").get_text(" ", strip=True) for card in first] == [
        "76 件",
        "37 % 73件中的27件",
        "— 0件中的0件",
    ]
    assert [card.select_one(".before").get_text(strip=True) for card in first] == [
        "没有上年可比的数",
        "2019年 0%",
        "没有上年可比的数",
    ]
    assert first[0].svg["aria-label"].startswith("2020年各月：1月7，2月6，")
    assert first[1].svg["aria-label"] == "2020年37%（共73），2019年0%（共61）"
    widths = [float(bar["width"]) for bar in first[1].select("rect.now, rect.then")]
    assert widths == [64.4, 0.0]  # of 174


def test_months_are_as_high_as_their_counts():
    bars = page().select_one(".headlines li").select("rect")
    heights = [float(bar["height"]) for bar in bars]
    assert (len(bars), max(heights), heights[5], heights[0]) == (12, 44.0, 44.0, 28.0)


def test_last_year_stands_in_the_cells_that_have_one():
    cells = page().select("#t3 td[data-was]")
    assert [(one["data-was"], one.get_text()) for one in cells] == [("64", "76"), ("0", "27")]
    assert page().find(id="past-t2") is None
    box = page().find(id="past-t3")
    assert (box["type"], box.find_next_sibling("label")["for"]) == ("checkbox", "past-t3")


@pytest.mark.parametrize(
    ("table", "count", "labels"), [("t2", 22, 1), ("t3", 161, 3), ("t4", 15, 0)]
)
def test_a_table_reads_back_to_its_facts(table, count, labels):
    facts = sealed()
    document = json.loads(taken(f"huli-2020-{table}.json"))
    cells = [cell for part in document["parts"] for row in part["rows"] for cell in row["cells"]]
    found = {cell["fact"]: (cell["value"], cell["unit"]) for cell in cells}
    wanted = {f: facts[f] for f in facts if f.startswith(f"{table}.")}
    assert found == {name: (fact["value"], fact["unit"]) for name, fact in wanted.items()}
    assert len(cells) == count
    for part in document["parts"]:
        assert {len(row["cells"]) for row in part["rows"]} == {len(part["columns"])}
    rows = list(csv.reader(io.StringIO(taken(f"huli-2020-{table}.csv").decode("utf-8-sig"))))
    assert len({len(row) for row in rows}) == 1
    printed = [row[labels:] for row in rows if row[labels].replace(".", "").isdigit()]
    values = [
        [c["value"] for c in row["cells"]] for part in document["parts"] for row in part["rows"]
    ]
    # A cell that spans several columns stands in each of them.
    assert [row[: len(kept)] for row, kept in zip(printed, values, strict=True)] == values


def test_a_printed_table_keeps_its_labels():
    rows = list(csv.reader(io.StringIO(taken("huli-2020-t3.csv").decode("utf-8-sig"))))
    assert rows[2][3:] == [
        "自然人",
        "商业企业",
        "科研机构",
        "社会公益组织",
        "法律服务机构",
        "其他",
        "总计",
    ]
    assert rows[5][:3] == ["三、本年度办理结果", "（一）予以公开", "（一）予以公开"]
    assert rows[3][-1] == "76"


def test_a_chart_reads_back_to_its_data():
    document = json.loads(taken("huli-2020-outcomes.json"))
    data = next(one for one in sample.blocks() if one.get("id") == "outcomes")["data"]
    assert (document["columns"], document["rows"]) == (data["columns"], data["rows"])
    rows = list(csv.reader(io.StringIO(taken("huli-2020-outcomes.csv").decode("utf-8-sig"))))
    assert rows == [list(map(str, row)) for row in (data["columns"], *data["rows"])]


@pytest.mark.parametrize(
    ("value", "expected"),
    [("=HYPERLINK(1)", "'=HYPERLINK(1)"), ("＝1＋1", "'＝1＋1"), (" @x", "' @x"),
     ("-5", "-5"), ("+12.5", "+12.5"), ("-1+1", "'-1+1"), (-3, "-3"), ("一、", "一、")],
)  # fmt: skip
def test_no_text_of_a_csv_becomes_a_formula(value, expected):
    assert harmless(value) == expected


def test_a_narrow_screen_has_every_value_of_a_chart():
    data = next(one for one in sample.blocks() if one.get("id") == "outcomes")["data"]
    rows = page().select("#outcomes .narrow tr")
    shown = [(row.th.get_text(strip=True), row.find_all("td")[-1].string) for row in rows]
    assert shown == [(label, str(value)) for label, value in data["rows"]]
    widest = max(data["rows"], key=lambda row: row[1])[0]
    (full,) = [row for row in rows if row.i["style"] == "width:100.0%"]
    assert full.th.get_text(strip=True) == widest


def test_figures_of_the_text_lead_to_their_definition():
    links = page().select("main p > a.figure")
    assert links
    for link in links:
        assert page().find(id=link["href"][1:]).name == "dt"


def test_a_sum_is_defined_by_labels():
    facts = {
        "a.x": {"label": "甲/自然人", "sum_of": [], "definition": "数"},
        "a.y": {"label": "甲/其他", "sum_of": [], "definition": "数"},
        "a.total": {"label": "甲/总计", "sum_of": ["a.x", "a.y"], "definition": "a.x + a.y"},
    }
    assert definition_of(facts["a.total"], facts) == "自然人＋其他"
    assert definition_of(facts["a.x"], facts) == "数"
    assert short("甲", "甲") == "甲"


def test_a_large_table_is_defined_by_rows_and_columns():
    result = page().select_one(".tabled:has(#t3) .how").get_text(" ", strip=True)
    assert "收到日期在此期间：2020-01-01至2020-12-31" in result
    assert "t3." not in result


# Of https://schema.org/Dataset and https://developers.google.com/search/docs/appearance/
# structured-data/dataset: what a catalogue needs, and no property that schema.org does not know.
SHAPE = """
@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix s: <https://schema.org/> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
[] a sh:NodeShape ; sh:targetClass s:Dataset ; sh:closed true ; sh:ignoredProperties ( rdf:type ) ;
  sh:property [ sh:path s:name ; sh:minCount 1 ; sh:maxCount 1 ] ;
  sh:property [ sh:path s:description ; sh:minCount 1 ; sh:minLength 50 ; sh:maxLength 5000 ] ;
  sh:property [ sh:path s:temporalCoverage ; sh:hasValue "2020-01-01/2020-12-31" ] ;
  sh:property [ sh:path s:creator ; sh:minCount 1 ; sh:class s:GovernmentOrganization ] ;
  sh:property [ sh:path s:publisher ; sh:minCount 1 ; sh:class s:GovernmentOrganization ] ;
  sh:property [ sh:path s:spatialCoverage ; sh:minCount 1 ; sh:class s:AdministrativeArea ] ;
  sh:property [ sh:path s:identifier ; sh:minCount 1 ] ;
  sh:property [ sh:path s:version ; sh:minCount 1 ] ;
  sh:property [ sh:path s:isAccessibleForFree ; sh:datatype xsd:boolean ; sh:minCount 1 ] ;
  sh:property [ sh:path s:inLanguage ] ; sh:property [ sh:path s:measurementTechnique ] ;
  sh:property [ sh:path s:datePublished ; sh:pattern "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" ] ;
  sh:property [ sh:path s:dateModified ; sh:pattern "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" ] ;
  sh:property [ sh:path s:correction ] ; sh:property [ sh:path s:creativeWorkStatus ] ;
  sh:property [ sh:path s:variableMeasured ; sh:minCount 2 ; sh:class s:PropertyValue ] ;
  sh:property [ sh:path s:distribution ; sh:minCount 6 ; sh:class s:DataDownload ;
    sh:node [ sh:property [ sh:path s:contentUrl ; sh:minCount 1 ] ;
              sh:property [ sh:path s:encodingFormat ; sh:minCount 1 ] ] ] .
"""


def valid(expected):
    # The context is fetched from schema.org; every name of ours stands in its vocabulary.
    expected["@context"] = {"@vocab": "https://schema.org/"}
    graph = rdflib.Graph().parse(data=json.dumps(expected), format="json-ld")
    shape = rdflib.Graph().parse(data=SHAPE, format="turtle")
    return pyshacl.validate(graph, shacl_graph=shape)[0]


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated")  # by rdflib, within it
def test_the_dataset_is_described_for_search_engines():
    for shown in (sample.blocks(), sample.corrected()):
        text, _ = ReportHTML().from_notebook_node(sample.notebook(shown))
        found = BeautifulSoup(text, "html.parser").find("script", type="application/ld+json")
        document = json.loads(found.string)
        assert document["spatialCoverage"]["identifier"] == "350206"
        assert valid(document)
        assert not valid({key: value for key, value in document.items() if key != "creator"})
        assert not valid(document | {"datePublihsed": "2021-01-05"})
        assert not valid(document | {"datePublished": "2021年1月5日"})
