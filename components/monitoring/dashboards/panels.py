"""Panels of dashboards: their queries, how they are drawn, and their positions. Pure functions.

Grafana's SDK builds what panels of one kind share, once per kind; a panel adds its texts, its queries and its position.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from string import ascii_uppercase
from typing import TypeVar

from components.monitoring.dashboards.grafana_sdk import (
    Json,
    bargauge,
    common,
    common_models,
    dashboard,
    models,
    plain,
    prometheus,
    prometheus_models,
    stat,
    statetimeline,
    table,
    timeseries,
    units,
)

# Thresholds: each number with the colour above it; the first has no number, and is the colour below all of them.
Limits = tuple[tuple[float | None, str], ...]
P = TypeVar("P", bargauge.Panel, stat.Panel, statetimeline.Panel, table.Panel, timeseries.Panel)
GOOD, WARNING, BAD = "green", "orange", "red"
DATASOURCE_VARIABLE = "datasource"
DATASOURCE = common_models.DataSourceRef(type_val="prometheus", uid=f"${{{DATASOURCE_VARIABLE}}}")
# Grafana adapts it to the scrape interval and the width of the graph; a fixed one shows gaps or misses peaks.
RATE_INTERVAL = "$__rate_interval"
GRID = 24
HEIGHT = 8
NARROW = 4
_WIDE = 8
_MOST_IN_A_LINE = 3


@dataclass(frozen=True, kw_only=True)
class About:
    """The texts and the unit of a panel.

    Attributes:
        title: Its title.
        description: What it shows and how to read it.
        unit: One of Grafana's units.
    """

    title: str
    description: str
    unit: str = units.Short


@dataclass(frozen=True, kw_only=True)
class Query:
    """PromQL and the legend of its series; the default shows the labels by which they differ."""

    expr: str
    legend: str = "__auto"


@dataclass(frozen=True, kw_only=True)
class Row:
    """Panels under a heading."""

    title: str
    panels: Sequence[Json]


def limits(below: str, steps: Mapping[str, str] | None = None) -> Limits:
    """Thresholds: the colour below all of them, and the colour from each number on."""
    return ((None, below), *sorted((float(number), color) for number, color in (steps or {}).items()))


def thresholds(drawn: Limits) -> dashboard.ThresholdsConfig:
    """Thresholds as Grafana's SDK has them."""
    steps = [models.Threshold(value=value, color=color) for value, color in drawn]
    return dashboard.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(steps)


def time_series(
    about: About,
    *queries: Query,
    drawn: Limits | None = None,
    shaded: bool = False,
    stacked: bool = False,
) -> Json:
    """Values over time; `drawn` are thresholds to draw as lines, `shaded` also colours their sides."""
    styles = common_models.GraphThresholdsStyleMode
    style = styles.OFF if drawn is None else styles.DASHED_AND_AREA if shaded else styles.DASHED
    return _asking(_time_series(about.unit, drawn or limits(GOOD), style, stacked), about, _targets(queries))


@lru_cache(maxsize=256)
def _time_series(
    unit: str, drawn: Limits, style: common_models.GraphThresholdsStyleMode, stacked: bool
) -> Json:
    stacking = common_models.StackingMode.NORMAL if stacked else common_models.StackingMode.NONE
    return plain(
        _of_unit(timeseries.Panel(), unit)
        .legend(
            common.VizLegendOptions()
            .show_legend(True)
            .display_mode(common_models.LegendDisplayMode.LIST)
            .placement(common_models.LegendPlacement.BOTTOM)
            .calcs([])
        )
        .tooltip(
            common.VizTooltipOptions()
            .mode(common_models.TooltipDisplayMode.MULTI)
            .sort(common_models.SortOrder.DESCENDING)
        )
        .thresholds(thresholds(drawn))
        .thresholds_style(common.GraphThresholdsStyleConfig().mode(style))
        .stacking(common.StackingConfig().mode(stacking).group("A"))
        .fill_opacity(30 if stacked else 0)
        .axis_soft_min(0)
        .grid_pos(models.GridPos(w=_WIDE, h=HEIGHT))
    )


def number(about: About, query: Query, colors: Limits, *, decimals: int | None = None) -> Json:
    """The latest value as a number in the colour of its threshold."""
    shown = _stat(about.unit, colors, common_models.BigValueTextMode.AUTO, decimals)
    return _asking(shown, about, _targets([query], instant=True))


def names(about: About, query: Query) -> Json:
    """The legends of the current series, without their values."""
    shown = _stat(about.unit, limits(GOOD), common_models.BigValueTextMode.NAME, None)
    return _asking(shown, about, _targets([query], instant=True))


@lru_cache(maxsize=256)
def _stat(unit: str, colors: Limits, text_mode: common_models.BigValueTextMode, decimals: int | None) -> Json:
    panel = (
        _of_unit(stat.Panel(), unit)
        .graph_mode(common_models.BigValueGraphMode.NONE)
        .text_mode(text_mode)
        .reduce_options(_latest())
        .thresholds(thresholds(colors))
        .grid_pos(models.GridPos(w=NARROW, h=HEIGHT))
    )
    return plain(panel if decimals is None else panel.decimals(decimals))


def bars(about: About, query: Query, colors: Limits) -> Json:
    """The latest values as bars from 0 to 1."""
    panel = (
        _of_unit(bargauge.Panel(), about.unit)
        .thresholds(thresholds(colors))
        .min(0)
        .max(1)
        .orientation(common_models.VizOrientation.HORIZONTAL)
        .display_mode(common_models.BarGaugeDisplayMode.BASIC)
        .reduce_options(_latest())
        .grid_pos(models.GridPos(w=_WIDE, h=HEIGHT))
    )
    return _asking(plain(panel), about, _targets([query], instant=True))


def states(about: About, query: Query, text: str) -> Json:
    """When each series was present: a red bar with a text."""
    return _asking(_states(about.unit, text), about, _targets([query]))


@lru_cache
def _states(unit: str, text: str) -> Json:
    there = models.ValueMap({"1": models.ValueMappingResult(text=text, color=BAD, index=0)})
    return plain(
        _of_unit(statetimeline.Panel(), unit)
        .thresholds(thresholds(limits(BAD)))
        .mappings([there])
        .no_value("none")
        .show_value(common_models.VisibilityMode.NEVER)
        .grid_pos(models.GridPos(w=GRID - _WIDE, h=HEIGHT))
    )


def rows_of(
    about: About,
    queries: Sequence[Query],
    transformations: list[models.DataTransformerConfig],
    columns: Mapping[str, Mapping[str, object]],
) -> Json:
    """A table of the latest values; `columns` are the properties of single columns by their name."""
    panel = (
        _of_unit(table.Panel(), about.unit)
        .transformations(transformations)
        .grid_pos(models.GridPos(w=GRID, h=HEIGHT + 2))
    )
    for name, properties in columns.items():
        values = [models.DynamicConfigValue(id_val=key, value=value) for key, value in properties.items()]
        panel.override_by_name(name, values)
    form = prometheus_models.PromQueryFormat.TABLE
    return _asking(plain(panel), about, _targets(queries, instant=True, form=form))


def resized(panel: Json, width: int) -> Json:
    """The same panel with another width."""
    return {**panel, "gridPos": {**panel["gridPos"], "w": width}}


def spread(panels: Sequence[Json]) -> list[Json]:
    """Panels in lines of up to three, those of a line equally wide."""
    lines = -(-len(panels) // _MOST_IN_A_LINE)
    each = -(-len(panels) // lines) if lines else 1
    found: list[Json] = []
    for start in range(0, len(panels), each):
        line = panels[start : start + each]
        found += [resized(panel, GRID // len(line)) for panel in line]
    return found


def placed(rows: Sequence[Row]) -> list[Json]:
    """The rows' headings and panels one below the other, numbered in that order; a row without panels is left out."""
    found: list[Json] = []
    top = 0
    for row in rows:
        if row.panels:
            found.append({**_heading(), "title": row.title, "gridPos": _place(0, top, GRID, 1)})
            panels, top = _flow(row.panels, top + 1)
            found += panels
    return [{**panel, "id": identifier} for identifier, panel in enumerate(found, start=1)]


@lru_cache
def _heading() -> Json:
    return plain(dashboard.Row(""))


def _flow(panels: Sequence[Json], top: int) -> tuple[list[Json], int]:
    """The panels at their positions line by line, and where the next row begins."""
    found: list[Json] = []
    left, height = 0, 0
    for panel in panels:
        wide, high = panel["gridPos"]["w"], panel["gridPos"]["h"]
        if left + wide > GRID:
            left, top, height = 0, top + height, 0
        found.append({**panel, "gridPos": _place(left, top, wide, high)})
        left, height = left + wide, max(height, high)
    return found, top + height


def _place(left: int, top: int, wide: int, high: int) -> Json:
    return {"x": left, "y": top, "w": wide, "h": high}


def _of_unit(panel: P, unit: str) -> P:
    """A panel of any kind that queries Prometheus."""
    return panel.unit(unit).datasource(DATASOURCE)


def _asking(shared: Json, about: About, targets: list[Json]) -> Json:
    """A panel of any kind with its texts and its queries."""
    return {**shared, "title": about.title, "description": about.description, "targets": targets}


def _latest() -> common.ReduceDataOptions:
    return common.ReduceDataOptions().calcs(["lastNotNull"])


def _targets(
    queries: Sequence[Query],
    *,
    instant: bool = False,
    form: prometheus_models.PromQueryFormat = prometheus_models.PromQueryFormat.TIME_SERIES,
) -> list[Json]:
    return [
        {**_target(instant, form), "expr": query.expr, "legendFormat": query.legend, "refId": letter}
        for letter, query in zip(ascii_uppercase, queries, strict=False)
    ]


@lru_cache
def _target(instant: bool, form: prometheus_models.PromQueryFormat) -> Json:
    shared = (
        prometheus.Dataquery()
        .datasource(DATASOURCE)
        .editor_mode(prometheus_models.QueryEditorMode.CODE)
        .format(form)
    )
    return plain(shared.instant() if instant else shared.range())
